//! `union bpf_attr` as bytes, both ways.
