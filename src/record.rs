//! The record: one event in canonical JSON, naming by digest everything it rests on.
