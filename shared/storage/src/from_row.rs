//! `FromRow` for structs, by column name, on both drivers.
//!
//! sqlx's derive macro would compile both drivers and SQLite a second time, for the build host.

/// Declares a struct whose fields are decoded from the columns of the same name. Fields after `default` have no column.
macro_rules! from_row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $kind:ty),* $(,)?
    } $(default { $($(#[$default_meta:meta])* $default:ident: $default_kind:ty),* $(,)? })?) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $kind,)*
            $($($(#[$default_meta])* $default: $default_kind,)*)?
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            $($kind: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>),*
        {
            fn from_row(row: &'r R) -> sqlx::Result<Self> {
                Ok(Self {
                    $($field: row.try_get(stringify!($field))?,)*
                    $($($default: Default::default(),)*)?
                })
            }
        }
    };
}

pub(crate) use from_row;
