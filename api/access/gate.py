"""The gate: from a request's Authorization header to what it may do."""

from api.access.keyring import CHALLENGE, REFUSED, Held, Keyring
from api.access.rates import Budget, Rates, too_many
from api.access.scopes import Access
from api.access.tokens import TokenError, Tokens, narrowed
from api.request.problems import Problem


class Gate:
    """Lets in who has a valid key or token and requests left."""

    def __init__(self, keyring: Keyring, tokens: Tokens, rates: Rates) -> None:
        self.keyring = keyring
        self.tokens = tokens
        self.rates = rates

    async def enter(self, authorization: str | None, address: str | None) -> tuple[Access, Budget]:
        """What the caller may do, and the requests he has left.

        Raises:
            Problem: no valid key or token, not from there, or too many requests.
            psycopg.Error: the database cannot be asked.
        """
        try:
            access, held = await self.identify(authorization, address)
        except Problem:
            await self.rates.failed(address)
            raise
        budget = await self.rates.take(access.key_id, held.requests_per_minute)
        if not budget.allowed:
            raise too_many(budget)
        return access, budget

    async def identify(self, authorization: str | None, address: str | None) -> tuple[Access, Held]:
        """Who the caller is, without counting; raises as `enter`."""
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Problem("unauthorized", headers=CHALLENGE)
        return await self.recognise(text.strip(), address)

    async def recognise(self, text: str, address: str | None) -> tuple[Access, Held]:
        """Who a key or token belongs to, and what it allows; raises as `enter`."""
        if text.count(".") != 2 or not text.isascii():
            held = await self.keyring.verify(text, address)
            return held.access, held
        try:
            claims = self.tokens.read(text)
        except TokenError as error:
            raise Problem("unauthorized", f"The token is not valid: {error}.", headers=REFUSED) from None
        held = await self.keyring.verify_id(str(claims["key"]), address)
        return narrowed(held.access, claims), held
