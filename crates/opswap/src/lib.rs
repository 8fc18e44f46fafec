//! opswap
