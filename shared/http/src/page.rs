//! Lists by pages: `?limit=` and `?cursor=` in, `items` and `next_cursor` out.

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

/// Items on a page when the client does not say.
pub const DEFAULT_LIMIT: i64 = 20;
/// Most items on a page; a page of large items has fewer.
pub const MAX_LIMIT: i64 = 100;

/// Most bytes of a page's items, as JSON. A page has at least one item, however large.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

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
    #[serde(default, deserialize_with = "bounded::optional::<1, MAX_LIMIT, _, _>")]
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

    /// Makes the answer from the `rows` that [`Page::fetch`] asked for. It ends early where the items are large.
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

/// Adds up the size of an answer's items.
#[derive(Debug, Default)]
pub struct PageSize(usize);

impl PageSize {
    /// Whether `item` can be added: always the first, and others while the sum stays within [`MAX_PAGE_BYTES`].
    pub fn has_room_for(&mut self, item: &impl Serialize) -> bool {
        let first = self.0 == 0;
        let mut length = Length(0);
        // Counting can't fail; what can't be written fails when the answer is.
        let _ = serde_json::to_writer(&mut length, item);
        self.0 = self.0.saturating_add(length.0);
        first || self.0 <= MAX_PAGE_BYTES
    }
}

/// Counts what is written.
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
