"""The example's route on Node, as a process of its own."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Self

from tests.support.nextjs.supabase import Supabase


class Engine:
    """A booking engine that is the example; an asynchronous context manager."""

    def __init__(self, out: Path, secrets: str, supabase: Supabase) -> None:
        self._out = out
        self._environment = {
            "ROOMWIRE_SECRET": secrets,
            "SUPABASE_URL": supabase.url,
            "SUPABASE_SERVICE_ROLE_KEY": supabase.key,
        }
        self._process: Process | None = None
        self._port = ""

    @property
    def url(self) -> str:
        """Where webhooks go."""
        return f"http://127.0.0.1:{self._port}/api/roomwire"

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *("node", "--no-warnings", "serve.cjs"),
            cwd=self._out,
            env={**os.environ, **self._environment},
            stdin=PIPE,
            stdout=PIPE,
        )
        assert self._process.stdout is not None
        self._port = (await self._process.stdout.readline()).decode().strip()
        assert self._port, "it did not start"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        # Its standard input ends with this process too, however that ends.
        self._process.stdin.close()
        await self._process.wait()
