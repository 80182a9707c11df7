//! Search words, and the words of an error that they match.

use uuid::Uuid;

use crate::outcome::JobError;

/// Most characters of a search text.
const MAX_CHARS: usize = 100;
/// Most words of a search text.
const MAX_WORDS: usize = 5;
/// Fewest hexadecimal digits that can be the beginning of an id. Shorter words would match every job.
const MIN_ID_DIGITS: usize = 4;
/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 32;
/// Most words that are stored of an error.
const MAX_ERROR_WORDS: usize = 32;
/// Most characters of a stored word.
const MAX_WORD_CHARS: usize = 40;

/// A lower-case word. It matches the beginning of a model name, a dataset name, an e-mail address or a word of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWord(String);

impl SearchWord {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The smallest and the largest id that begin with this word; `None` if it is not the beginning of an id.
    pub fn ids(&self) -> Option<(Uuid, Uuid)> {
        let digits: String = self.0.chars().filter(|c| *c != '-').collect();
        let is_id =
            (MIN_ID_DIGITS..=ID_DIGITS).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let filled = |digit: &str| Uuid::parse_str(&(digits.clone() + &digit.repeat(ID_DIGITS - digits.len()))).ok();
        if is_id { filled("0").zip(filled("f")) } else { None }
    }

    /// The beginning of a word of an error: without punctuation around it. `None` if punctuation is within the word,
    /// because no word of an error has any.
    pub fn error_word(&self) -> Option<&str> {
        let word = self.0.trim_matches(is_separator);
        let word = word.char_indices().nth(MAX_WORD_CHARS).map_or(word, |(end, _)| &word[..end]);
        (!word.is_empty() && !word.contains(is_separator)).then_some(word)
    }
}

/// Parses a search text.
///
/// # Errors
/// A message for the client.
pub fn parse_search(text: &str) -> Result<Vec<SearchWord>, String> {
    if text.chars().count() > MAX_CHARS {
        return Err(format!("must have at most {MAX_CHARS} characters"));
    }
    if text.contains('\0') {
        return Err("must not contain the character NUL".to_owned());
    }
    let mut words: Vec<SearchWord> = Vec::new();
    for word in text.split_whitespace().map(|word| SearchWord(word.to_lowercase())) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if words.len() > MAX_WORDS { Err(format!("must have at most {MAX_WORDS} words")) } else { Ok(words) }
}

/// The distinct lower-case words of an error's code and message. A code such as `out_of_memory` is one word and three.
pub fn words_of_error(error: &JobError) -> Vec<String> {
    let text = format!("{} {}", error.code.as_str(), error.message).to_lowercase();
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let word: String = word.chars().take(MAX_WORD_CHARS).collect();
        if words.len() < MAX_ERROR_WORDS && !words.contains(&word) {
            words.push(word);
        }
    };
    for word in text.split(is_separator).filter(|word| !word.is_empty()) {
        add(word);
        if word.contains('_') {
            word.split('_').filter(|part| !part.is_empty()).for_each(&mut add);
        }
    }
    words
}

/// Whether a character separates the words of an error. Postgres can't store NUL, which is a separator too.
fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::FailureCode;

    fn word(text: &str) -> SearchWord {
        parse_search(text).unwrap().remove(0)
    }

    #[test]
    fn a_search_text_is_bounded() {
        fn words(text: &str) -> Result<Vec<String>, String> {
            parse_search(text).map(|words| words.into_iter().map(|word| word.0).collect())
        }
        assert_eq!(words(" Ada  titanic ada "), Ok(vec!["ada".to_owned(), "titanic".to_owned()]));
        assert_eq!(words(""), Ok(vec![]));
        assert!(words("a b c d e").is_ok());
        assert_eq!(words("a b c d e f").unwrap_err(), "must have at most 5 words");
        assert!(words(&"ü".repeat(100)).is_ok());
        assert_eq!(words(&"a".repeat(101)).unwrap_err(), "must have at most 100 characters");
        assert!(words("a\0b").is_err());
    }

    #[test]
    fn the_beginning_of_an_id_has_four_digits_or_more() {
        let ids = |text| word(text).ids().map(|(first, last)| (first.to_string(), last.to_string()));
        let range = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
        assert_eq!(ids("019"), None);
        assert_eq!(ids("0193-"), range("01930000-0000-0000-0000-000000000000", "0193ffff-ffff-ffff-ffff-ffffffffffff"));
        let whole = "01930a5e-7c1f-7b3a-9f44-0d9c2a8f6e11";
        assert_eq!(ids(whole), range(whole, whole));
        assert_eq!(
            ids("01930A5E7"),
            range("01930a5e-7000-0000-0000-000000000000", "01930a5e-7fff-ffff-ffff-ffffffffffff")
        );
        assert_eq!((ids("0193x"), ids(&format!("{whole}0")), ids("----")), (None, None, None));
    }

    #[test]
    fn the_words_of_an_error_are_its_code_and_message() {
        let error = JobError::new(FailureCode::OutOfMemory, "The process (pid 7) exceeded 512 MiB: 'age' is too big.");
        let expected = "out_of_memory out of memory the process pid 7 exceeded 512 mib age is too big";
        assert_eq!(words_of_error(&error).join(" "), expected);
        assert_eq!(word("'Age'").error_word(), Some("age"));
        assert_eq!((word("titanic-rf").error_word(), word("--").error_word()), (None, None));
        let long = JobError::new(
            FailureCode::Internal,
            (0..100).map(|n| format!("{n}{} ", "x".repeat(50))).collect::<String>(),
        );
        let words = words_of_error(&long);
        assert_eq!(words.len(), 32);
        assert!(words.iter().all(|word| word.chars().count() <= 40));
        assert_eq!(word(&"x".repeat(50)).error_word().unwrap().len(), 40, "a longer word matches its stored beginning");
    }
}
