//! Routes of prediction jobs. A prediction job is a job: the routes of training jobs read, cancel and retry it.

pub mod predict;
pub mod request;
pub mod result;
