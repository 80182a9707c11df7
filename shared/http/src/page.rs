//! Pagination: the parameters `limit` and `cursor`, and responses with `items` and `next_cursor`.

use std::io;

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::problem::Problem;
use crate::query;

/// Items of a page without `limit`.
pub const DEFAULT_LIMIT: i64 = 20;
/// Most items of a page.
pub const MAX_LIMIT: i64 = 100;

/// Most bytes of a page's items as JSON. A page has at least one item of any size.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

/// The requested page of a list. `K` is the sort key of the list, such as `JobId`.
///
/// As an extractor it refuses all parameters other than `limit` and `cursor`. Lists with filters use [`Search`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<K> {
    /// Most items of the page, from 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// The last key of the previous page; `None` for the first page.
    pub cursor: Option<K>,
}

/// The parameters of a [`Page`] in the OpenAPI document: `params(PageParams)`.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Most items of the page.
    #[serde(default, deserialize_with = "bounded::optional::<1, MAX_LIMIT, _, _>")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// A page and filters `F`, whose type needs `#[serde(deny_unknown_fields)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search<F, K> {
    /// The filters.
    pub filter: F,
    /// The requested page.
    pub page: Page<K>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// The `cursor` of the next page; null on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// Sets the cursor of a list whose search stopped at `key`. A list that has more found items keeps its cursor.
    #[must_use]
    pub fn stopped_at<K: Serialize>(self, key: Option<K>) -> Self {
        Self { next_cursor: self.next_cursor.or_else(|| key.map(|key| encode(&key))), ..self }
    }
}

impl<K: Serialize> Page<K> {
    /// How many rows to read: one more than the page has, to know whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The page with items from the first `rows`, of which [`Page::fetch`] were read. Large items make a shorter page.
    pub fn list<R, T: Serialize>(&self, rows: Vec<R>, key: impl Fn(&R) -> K, mut show: impl FnMut(R) -> T) -> List<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (found, mut size, mut last) = (rows.len(), PageSize::default(), None);
        let mut items = Vec::with_capacity(found.min(limit));
        for row in rows.into_iter().take(limit) {
            let row_key = key(&row);
            let item = show(row);
            if !size.has_room_for(&item) {
                break;
            }
            last = Some(row_key);
            items.push(item);
        }
        let more = items.len() < found;
        List { next_cursor: last.filter(|_| more).map(|last| encode(&last)), items }
    }
}

/// Adds up the size of the items of a page.
#[derive(Debug, Default)]
pub struct PageSize(usize);

impl PageSize {
    /// Whether `item` fits. The first item always fits; others fit while the sum is within [`MAX_PAGE_BYTES`].
    pub fn has_room_for(&mut self, item: &impl Serialize) -> bool {
        let first = self.0 == 0;
        let mut length = Length(0);
        // An item that can't be serialized fails when the response is serialized.
        let _ = serde_json::to_writer(&mut length, item);
        self.0 = self.0.saturating_add(length.0);
        first || self.0 <= MAX_PAGE_BYTES
    }
}

struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Send + Sync, K: DeserializeOwned> FromRequestParts<S> for Page<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let params = query::read::<PageParams>(query::pairs(parts.uri.query()).into_iter());
        params.map_err(Problem::validation)?.parse()
    }
}

impl<S: Send + Sync, F: DeserializeOwned, K: DeserializeOwned> FromRequestParts<S> for Search<F, K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (page, filter): (Vec<_>, Vec<_>) = query::pairs(parts.uri.query())
            .into_iter()
            .partition(|(name, _)| matches!(name.as_ref(), "limit" | "cursor"));
        match (query::read::<PageParams>(page.into_iter()), query::read(filter.into_iter())) {
            (Ok(page), Ok(filter)) => Ok(Self { filter, page: page.parse()? }),
            (page, filter) => {
                let errors = [page.err(), filter.err()].into_iter().flatten().flatten();
                Err(Problem::validation(errors.collect()))
            }
        }
    }
}

impl PageParams {
    fn parse<K: DeserializeOwned>(self) -> Result<Page<K>, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
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
