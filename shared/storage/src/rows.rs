//! Statements for many rows at once, in a few sizes, so that each text is prepared once and serves every length.

use std::sync::LazyLock;

/// The sizes a statement comes in, largest first.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// One statement per size.
pub(crate) struct Sized([(usize, String); 4]);

impl Sized {
    /// The statements that `text` makes for so many rows.
    pub(crate) fn new(text: impl Fn(usize) -> String) -> Self {
        Self(SIZES.map(|size| (size, text(size))))
    }

    /// Cuts `items` into pieces that fill a statement each.
    pub(crate) fn filling<'a, T>(&'static self, mut items: &'a [T]) -> Vec<(&'static str, &'a [T])> {
        let mut pieces = Vec::new();
        for (size, text) in &self.0 {
            while items.len() >= *size {
                let (piece, rest) = items.split_at(*size);
                pieces.push((text.as_str(), piece));
                items = rest;
            }
        }
        pieces
    }

    /// Cuts `items` into pieces and pads each with its own last item to the next size, for statements to which a repeated
    /// item makes no difference.
    pub(crate) fn padded<T: Copy>(&'static self, items: &[T]) -> Vec<(&'static str, Vec<T>)> {
        let pieces = items.chunks(SIZES[0]).map(|chunk| {
            let fits = self.0.iter().rev().find(|(size, _)| *size >= chunk.len());
            let (size, text) = fits.unwrap_or(&self.0[0]);
            let mut piece = chunk.to_vec();
            piece.extend(chunk.last().copied().into_iter().cycle().take(size - chunk.len()));
            (text.as_str(), piece)
        });
        pieces.collect()
    }
}

/// A statement in all sizes, made with first use.
pub(crate) type Lazy = LazyLock<Sized>;

/// `$first, …` for `count` parameters.
pub(crate) fn parameters(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

/// `(…), (…)`: `count` tuples of `width` parameters from `$first` on, each followed by `constants` within its brackets.
pub(crate) fn tuples(first: usize, count: usize, width: usize, constants: &str) -> String {
    let tuple = |n| format!("({}{constants})", parameters(first + n * width, width));
    (0..count).map(tuple).collect::<Vec<_>>().join(", ")
}

/// Runs a statement of many rows: `$fixed` are its first parameters, then come `$field`s of each item.
macro_rules! run_rows {
    ($tx:expr, $verb:ident, $new:expr, [$($fixed:expr),*], $items:expr, |$item:pat_param| [$($field:expr),+ $(,)?]) => {{
        match &mut $tx.inner {
            $crate::tx::Inner::Postgres(tx) => {
                let query = $items.iter().fold($new$(.bind($fixed))*, |query, $item| query$(.bind($field))+);
                $crate::rows::run_rows!(@$verb query, tx)
            }
            $crate::tx::Inner::Sqlite(tx, _) => {
                let query = $items.iter().fold($new$(.bind($fixed))*, |query, $item| query$(.bind($field))+);
                $crate::rows::run_rows!(@$verb query, tx)
            }
        }
    }};
    (@execute $query:ident, $tx:ident) => {
        $crate::sql::answered($query.execute(&mut **$tx)).await.map(|done| done.rows_affected())
    };
    (@fetch_all $query:ident, $tx:ident) => {
        $crate::sql::answered($query.fetch_all(&mut **$tx)).await
    };
}

/// Writes many rows; answers how many changed.
macro_rules! execute_rows {
    ($tx:expr, $sql:expr, $($rest:tt)*) => {{
        $tx.check_may_write()?;
        $crate::rows::run_rows!($tx, execute, sqlx::query($sql), $($rest)*)
    }};
}

/// Writes many rows; answers what the statement returns.
macro_rules! write_rows {
    ($tx:expr, $($rest:tt)*) => {{ $tx.check_may_write()?; $crate::rows::read_rows!($tx, $($rest)*) }};
}

/// Reads many rows.
macro_rules! read_rows {
    ($tx:expr, $sql:expr, $($rest:tt)*) => {
        $crate::rows::run_rows!($tx, fetch_all, sqlx::query_as($sql), $($rest)*)
    };
}

pub(crate) use {execute_rows, read_rows, run_rows, write_rows};

#[cfg(test)]
mod tests {
    use super::*;

    static SQL: Lazy = LazyLock::new(|| Sized::new(|size| format!("{size}")));

    #[test]
    fn pieces_fill_statements_and_lose_nothing() {
        let items: Vec<_> = (0..86).collect();
        let pieces = SQL.filling(&items);
        let sizes: Vec<_> = pieces.iter().map(|(text, piece)| (*text, piece.len())).collect();
        assert_eq!(sizes, [("64", 64), ("16", 16), ("4", 4), ("1", 1), ("1", 1)]);
        assert_eq!(pieces.iter().flat_map(|(_, piece)| *piece).copied().collect::<Vec<_>>(), items);
    }

    #[test]
    fn padding_repeats_the_last_item() {
        assert_eq!(SQL.padded(&[1, 2]), [("4", vec![1, 2, 2, 2])]);
        let many: Vec<_> = (0..65).collect();
        let pieces = SQL.padded(&many);
        assert_eq!(pieces.iter().map(|(text, piece)| (*text, piece.len())).collect::<Vec<_>>(), [("64", 64), ("1", 1)]);
        assert!(SQL.padded::<i32>(&[]).is_empty());
    }

    #[test]
    fn parameters_count_on_through_the_tuples() {
        assert_eq!(tuples(3, 2, 2, ", 'x'"), "($3, $4, 'x'), ($5, $6, 'x')");
    }
}
