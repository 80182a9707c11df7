//! Lists by pages: `?limit=` and `?cursor=` in, `items` and `next_cursor` out.

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;
use crate::query;

/// Items on a page when the client does not say.
pub const DEFAULT_LIMIT: i64 = 20;
/// Most items on a page.
pub const MAX_LIMIT: i64 = 100;

/// Which page of a list: `K` is the key that the list is ordered by, such as `JobId`.
///
/// As an extractor on its own it knows `limit` and `cursor` and refuses every other parameter; lists with filters
/// use [`Search`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Most items to answer with, 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// The last key of the page before this one; `None` on the first.
    pub cursor: Option<K>,
}

/// The parameters of a [`Page`], for the API's description: `params(PageParams)`.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Most items to answer with.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page together with filters `F` (whose type must say `#[serde(deny_unknown_fields)]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search<F, K> {
    /// What to look for.
    pub filter: F,
    /// Which page of it.
    pub page: Page<K>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<K: Serialize> Page<K> {
    /// How many rows to ask the database for: one more than are shown, which tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Makes the answer from the `rows` that [`Page::fetch`] asked for.
    pub fn list<R, T>(&self, mut rows: Vec<R>, key: impl Fn(&R) -> K, show: impl FnMut(R) -> T) -> List<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| encode(&key(last)));
        List { items: rows.into_iter().map(show).collect(), next_cursor }
    }
}

impl<S: Send + Sync, K: DeserializeOwned> FromRequestParts<S> for Page<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query::read::<PageParams>(query::pairs(parts.uri.query()).into_iter())?.parse()
    }
}

impl<S: Send + Sync, F: DeserializeOwned, K: DeserializeOwned> FromRequestParts<S> for Search<F, K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (page, filter): (Vec<_>, Vec<_>) = query::pairs(parts.uri.query())
            .into_iter()
            .partition(|(name, _)| matches!(name.as_ref(), "limit" | "cursor"));
        let page = query::read::<PageParams>(page.into_iter())?.parse()?;
        Ok(Self { filter: query::read(filter.into_iter())?, page })
    }
}

impl PageParams {
    fn parse<K: DeserializeOwned>(self) -> Result<Page<K>, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::field("limit", format!("must be from 1 to {MAX_LIMIT}")));
        }
        Ok(Page { limit, cursor: self.cursor.as_deref().map(decode).transpose()? })
    }
}

fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(cursor: &str) -> Result<K, Problem> {
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.ok_or_else(|| Problem::field("cursor", "must be a next_cursor of this list"))
}
