"""Every error code that the API answers with: a closed list, from which docs/ERRORS.md is written."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One code. meaning: what happened; remedy: what the caller does about it."""

    status: int
    title: str
    meaning: str
    remedy: str


CODES: Mapping[str, Kind] = {
    # The request itself
    "bad_http": Kind(
        400, "Bad HTTP", "What came is not HTTP as we understand it.", "Send it by an HTTP library, over HTTP/1.1."
    ),
    "broken_json": Kind(400, "Broken JSON", "The body is not JSON.", "Send JSON in UTF-8."),
    "idempotency_key_missing": Kind(
        400,
        "Idempotency-Key missing",
        "A write needs the header Idempotency-Key: 1 to 255 printable ASCII characters.",
        "Send a new UUID with each write, and the same one when you try it again.",
    ),
    "not_found": Kind(404, "Not found", "There is nothing at this path.", "See the paths in /openapi.json."),
    "method_not_allowed": Kind(
        405, "Method not allowed", "This path does not take this method.", "Use one that the header Allow names."
    ),
    "request_timeout": Kind(
        408, "Request timeout", "The body did not come within 20 seconds.", "Send it again, with the same key."
    ),
    "body_too_large": Kind(
        413, "Body too large", "The body is larger than 256 kB.", "Send less; no valid request is that large."
    ),
    "unsupported_media_type": Kind(
        415,
        "Unsupported media type",
        "The body is not declared to be JSON, or compressed.",
        "Send Content-Type: application/json, uncompressed.",
    ),
    "invalid_request": Kind(
        422,
        "Invalid request",
        "A field is missing, unknown or out of range.",
        "`errors` points to each field and says what is wrong with it.",
    ),
    # Who asks
    "unauthorized": Kind(
        401,
        "Unauthorized",
        "There is no valid API key or token in the request.",
        "Send Authorization: Bearer, with a key that is neither expired nor revoked, or a token of such a key.",
    ),
    "insecure_transport": Kind(
        403,
        "Insecure transport",
        "The request came by plain HTTP, where others can read the key.",
        "Use https, and have the operator rotate the key. There is no redirect, which would send it again.",
    ),
    "address_not_allowed": Kind(
        403,
        "Address not allowed",
        "The key may not be used from this address.",
        "Call from an address on the key's list, or have the operator change that list.",
    ),
    "insufficient_scope": Kind(
        403,
        "Insufficient scope",
        "The key or token lacks the scope that this needs.",
        "Use a key that has it; `scope` names it.",
    ),
    "rate_limited": Kind(
        429,
        "Too many requests",
        "The key has used up its requests for now.",
        "Wait as many seconds as Retry-After says.",
    ),
    # What is asked for
    "unknown_hotel": Kind(
        404,
        "Unknown hotel",
        "There is no such hotel, or this key does not know it.",
        "GET /hotels lists the hotels that this key knows.",
    ),
    "unknown_room_type": Kind(
        404,
        "Unknown room type",
        "The hotel has no such room type.",
        "GET /room-types/{hotel_id} lists its room types.",
    ),
    "unknown_plan": Kind(
        404, "Unknown plan", "The hotel has no such plan.", "GET /plans/{hotel_id} lists its plans."
    ),
    "unknown_user": Kind(
        404,
        "Unknown user",
        "No PMS client is linked to this user of yours.",
        "Link one by PUT /auth/user/{user_id}, or book with `user_id`.",
    ),
    "unknown_client": Kind(
        404,
        "Unknown client",
        "The PMS has no such client, or none whom this key knows.",
        "Take the `client_id` from a booking's `guest`, or send the person as `guest` instead.",
    ),
    # What can be booked
    "too_many_people": Kind(
        422,
        "Too many people",
        "No room of this type takes so many people.",
        "GET /room-types/{hotel_id} says how many its rooms take; spread the guests over more rooms.",
    ),
    "plan_not_on_sale": Kind(
        422,
        "Plan not on sale",
        "The hotel does not sell this plan for every night of the stay.",
        "Ask GET /availability/{hotel_id} for the stay, and offer a plan that is on sale.",
    ),
    "sold_out": Kind(
        409,
        "Sold out",
        "Too few rooms are free on all nights of the stay.",
        "Ask GET /availability/{hotel_id} for the stay and offer what is left.",
    ),
    "quote_invalid": Kind(
        422,
        "Quote not valid",
        "The quote is none of ours, was changed, or was made for another client.",
        "Send the `quote` as POST /quotes answered it, with a key of the same client.",
    ),
    "quote_expired": Kind(
        422, "Quote expired", "The quote's time is over.", "Make a new one by POST /quotes and show its price."
    ),
    "price_changed": Kind(
        409,
        "Price changed",
        "The stay costs another sum than the request expects.",
        "Show `total` to the guest; ask again with it as `expected_total`, under a new Idempotency-Key.",
    ),
    "already_booked": Kind(
        409,
        "Already booked",
        "This client has made a booking under this external_id.",
        "`booking_id` names it. Every booking needs an external_id of its own.",
    ),
    "unknown_booking": Kind(
        404,
        "Unknown booking",
        "There is no such booking, or it is not one that this client has made.",
        "Take the `booking_id` from the answer to POST /bookings; GET /bookings lists what is there.",
    ),
    "booking_changed": Kind(
        412,
        "Booking changed",
        "The booking is not what If-Match says any more: the hotel's staff or you have changed it.",
        "GET the booking, show what changed, and send what is wanted now with its ETag and a new Idempotency-Key.",
    ),
    "if_match_missing": Kind(
        428,
        "If-Match missing",
        "A change needs the header If-Match: the ETag of the booking that it starts from.",
        "GET the booking and send its ETag.",
    ),
    "already_cancelled": Kind(
        409,
        "Already cancelled",
        "The booking is cancelled.",
        "There is nothing to do; make a new one by POST /bookings.",
    ),
    "needs_staff": Kind(
        409,
        "Needs staff",
        "Only the hotel's staff can do this to the booking as it stands.",
        "`detail` says why. Have the guest ask the hotel; what staff do then is told by a webhook.",
    ),
    "unknown_hold": Kind(
        404,
        "Unknown hold",
        "There is no such hold: it never was, is booked, or has expired.",
        "Make a new one by POST /holds, or book without one.",
    ),
    "too_many_held": Kind(
        429,
        "Too many rooms are held",
        "The client holds as many rooms as one may hold at a time.",
        "Book or release holds, or wait as many seconds as Retry-After says.",
    ),
    "hold_changed": Kind(
        409,
        "Hold changed",
        "The hold is not for this stay, or the hotel's staff have changed it.",
        "Book the very stay that is held, or make a new hold.",
    ),
    # The feed
    "cursor_expired": Kind(
        410,
        "Cursor expired",
        "Events after this position have been dropped: going on from it would miss some.",
        "Read everything by GET /events/snapshot, and go on from the position that it names.",
    ),
    "unknown_cursor": Kind(
        404, "Unknown cursor", "There is no cursor of this name.", "GET /events/cursors lists what there is."
    ),
    "too_many_cursors": Kind(
        409,
        "Too many cursors",
        "The client has as many cursors as it may.",
        "Remove one that is used no more by DELETE /events/cursors/{cursor}.",
    ),
    # Administration
    "unknown_endpoint": Kind(
        404,
        "Unknown endpoint",
        "There is no such endpoint, or it is told of hotels that this key does not know.",
        "GET /endpoints lists the endpoints that this key knows.",
    ),
    "endpoint_refused": Kind(
        422,
        "Endpoint refused",
        "The endpoint cannot be as asked, or what is asked cannot be done with it now.",
        "`detail` says why, and what can be done.",
    ),
    "endpoint_changed": Kind(
        412,
        "Endpoint changed",
        "The endpoint is not set up any more as If-Match says: somebody else has changed it.",
        "GET the endpoint, and send what is wanted now with its ETag and a new Idempotency-Key.",
    ),
    "endpoint_disabled": Kind(
        409,
        "Endpoint disabled",
        "The endpoint is disabled: nothing is noted for it, so there is nothing to go on with.",
        "Enable it by POST /endpoints/{name}/enable: it is sent everything then.",
    ),
    "unknown_key": Kind(
        404,
        "Unknown key",
        "There is no such thing, or it is of a hotel that this API key does not know.",
        "GET /deliveries lists the keys that endpoints lack.",
    ),
    "unknown_replay": Kind(
        404,
        "Unknown replay",
        "There is no such replay, or it is forgotten.",
        "GET /replays lists those of 30 days.",
    ),
    # Writing once
    "in_progress": Kind(
        409,
        "In progress",
        "A request with this Idempotency-Key is being worked on.",
        "Send the same request again after as many seconds as Retry-After says.",
    ),
    "idempotency_key_reused": Kind(
        422,
        "Idempotency-Key reused",
        "This Idempotency-Key was used for a request of another address, body or If-Match, or for one that was"
        " refused to other rights.",
        "Take a new key for each new request, and the same one only to try that request again.",
    ),
    "answer_withheld": Kind(
        403,
        "Answer withheld",
        "This request was decided before, and its answer is repeated only to who may see as much as who asked.",
        "Do not send it with a new Idempotency-Key, which would do it again: ask with the key or token of the first"
        " time, or one that has what `missing` names.",
    ),
    # Our side
    "internal_error": Kind(
        500,
        "Internal error",
        "Something went wrong on our side.",
        "Try again with the same Idempotency-Key; where it stays, tell the operator the `request_id`.",
    ),
    "unavailable": Kind(
        503,
        "Unavailable",
        "The database is away or too busy for now.",
        "Try again with the same Idempotency-Key after as many seconds as Retry-After says.",
    ),
}
