//! The request and response bodies of `POST /inference`, and the response of `GET /inference/drift`.

pub(crate) mod answer;
pub(crate) mod drift;
pub(crate) mod request;
pub(crate) mod schemas;
