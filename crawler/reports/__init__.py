"""Reports: one module each, reading the store only. Each has `report(...) -> value` and `lines(value) -> text`."""
