"""What bench/run is made of: certificates, processes with their cores and costs, servers under test, statistics."""
