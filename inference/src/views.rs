//! The request and response bodies of `POST /inference`.

pub(crate) mod answer;
pub(crate) mod request;
pub(crate) mod schemas;
