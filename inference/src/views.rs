//! What clients send and get: the wire forms of `POST /inference`.

pub(crate) mod answer;
pub(crate) mod request;
pub(crate) mod schemas;
