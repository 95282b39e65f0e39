"""The parts of tools/bench, in reading order: data_types (collections and the commands on them), rows
(what can be measured), servers, load (one run of a load generator), measures (how each kind of row
is measured), report, plot. Those of tools/cachebench beside them: cache_cells, cache_report."""
