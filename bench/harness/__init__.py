"""The parts of bench/run: certificates, processes with their cores and costs, servers under test, statistics."""
