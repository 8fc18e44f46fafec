//! What the fuzz targets do with a piece of data, one module each. They use no fuzzer: the tests of the crates
//! include these files and run them on a few seeds.

pub mod btf;
pub mod isa;
pub mod object;
pub mod vm;
