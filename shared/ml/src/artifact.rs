//! The model file: one file, checked before anything in it is used.
