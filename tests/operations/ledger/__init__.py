"""The ledger under any order of everything that moves credits."""
