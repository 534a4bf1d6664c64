//! Faults of this kind.
