"""`pakrus demo`: the whole pipeline offline, on invented papers that this program serves to itself on loopback."""
