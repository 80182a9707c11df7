//! The default settings, for tests of single crates.

use serde::de::DeserializeOwned;

const DEFAULTS: &str = include_str!("../../../app/src/default.toml");

/// The settings of a section of `app/src/default.toml`, such as `worker`.
pub fn default_settings<T: DeserializeOwned>(section: &str) -> T {
    let mut sections: toml::Table = DEFAULTS.parse().unwrap();
    let settings = sections.remove(section).unwrap_or_else(|| panic!("default.toml has no section {section}"));
    settings.try_into().unwrap_or_else(|error| panic!("section {section} of default.toml: {error}"))
}
