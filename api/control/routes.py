"""The routes of administration."""

from collections.abc import Sequence
from itertools import chain

from api.control import delivery_routes, endpoint_routes, replay_routes
from api.request.routing import Route

ROUTES: Sequence[Route] = tuple(chain(endpoint_routes.ROUTES, delivery_routes.ROUTES, replay_routes.ROUTES))
