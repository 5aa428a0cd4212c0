Hints that documents have changed.

-- name: send
notify roomwire_changed

-- name: listen
listen roomwire_changed
