//! The decoding of a file to UTF-8 text while it is read.
//!
//! The encoding is the one that the caller set; else that of a byte order mark; else UTF-16 if every other byte of the
//! first bytes is zero; else the charset of the content type; else UTF-8. If a byte is not UTF-8 and every character before
//! is ASCII, the rest is decoded by the encoding that its bytes suggest, or by Windows-1252, with a warning.

use std::io::{ErrorKind, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::{CsvError, ReadOptions, file_type};

/// Bytes of the first read, from which the encoding and the file type are decided.
const HEAD_BYTES: usize = 32 << 10;
const BUFFER_BYTES: usize = 256 << 10;
/// With fewer bytes that are not ASCII, a guess of the encoding is not reliable.
const MIN_BYTES_TO_GUESS: usize = 12;

/// Why the text ends early.
#[derive(Debug)]
pub(crate) enum Fault {
    Read(std::io::Error),
    /// A NUL character.
    Nul,
    /// A byte that the encoding does not allow.
    Invalid(&'static str),
}

impl Fault {
    /// The error at a row and a column.
    pub(crate) fn at(self, row: Option<u64>, column: Option<String>) -> CsvError {
        let reason = match &self {
            Self::Read(_) => "the file could not be read completely".to_owned(),
            Self::Nul => "the cell contains a NUL byte; remove NUL bytes from the file".to_owned(),
            Self::Invalid("utf-8") => "the text is not UTF-8; save the file as UTF-8, or set its encoding".to_owned(),
            Self::Invalid(encoding) => format!("the text is not {encoding}; set another encoding"),
        };
        let source = if let Self::Read(error) = self { Some(error) } else { None };
        CsvError { source, ..CsvError::new(row, column, reason) }
    }
}

/// Reads a file as UTF-8 text.
pub(crate) struct Text<R> {
    input: R,
    buffer: Box<[u8]>,
    /// The part of the buffer that is not decoded yet.
    start: usize,
    end: usize,
    encoding: &'static Encoding,
    /// Decodes every encoding but UTF-8.
    decoder: Option<Decoder>,
    /// Whether another encoding may be tried at the first byte that is not UTF-8.
    may_guess: bool,
    guessed: bool,
    replaced: bool,
    bytes: u64,
    ended: bool,
    fault: Option<Fault>,
}

impl<R: Read> Text<R> {
    /// Opens an upload and decides its encoding.
    ///
    /// # Errors
    /// An unknown encoding, a failed read, or a file type that is not text.
    pub(crate) fn open(input: R, options: &ReadOptions) -> Result<Self, CsvError> {
        let set = options.encoding.as_deref().map(labelled).transpose()?;
        let mut text = Self::new(input, UTF_8);
        text.fill(HEAD_BYTES).map_err(|fault| fault.at(None, None))?;
        file_type::refuse_bytes(text.head())?;
        let declared = options.declared_charset.as_deref().and_then(|label| labelled(label).ok());
        let found = text.skip_byte_order_mark().or_else(|| utf16_without_mark(text.head()));
        // `utf-16` alone leaves the byte order open.
        let set = set.filter(|set| !(*set == UTF_16LE && found == Some(UTF_16BE)));
        text.may_guess = set.is_none() && found.is_none();
        text.set_encoding(set.or(found).or(declared).unwrap_or(UTF_8));
        Ok(text)
    }

    /// Opens a stored table whose encoding is known by its label.
    ///
    /// # Errors
    /// A failed read.
    pub(crate) fn reopen(input: R, label: &str) -> Result<Self, CsvError> {
        let mut text = Self::new(input, UTF_8);
        text.fill(HEAD_BYTES).map_err(|fault| fault.at(None, None))?;
        text.skip_byte_order_mark();
        text.set_encoding(labelled(label)?);
        Ok(text)
    }

    fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER_BYTES].into(),
            start: 0,
            end: 0,
            encoding,
            decoder: None,
            may_guess: false,
            guessed: false,
            replaced: false,
            bytes: 0,
            ended: false,
            fault: None,
        }
    }

    /// The encoding, as a label in lower case.
    pub(crate) fn encoding(&self) -> String {
        self.encoding.name().to_ascii_lowercase()
    }

    /// Number of bytes read.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Warnings about the encoding.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let name = self.encoding.name();
        let mut warnings = Vec::new();
        if self.guessed {
            warnings.push(format!(
                "the file is not UTF-8 and was read as {name}; if letters are wrong, set the encoding or save the file as UTF-8"
            ));
        }
        if self.replaced {
            warnings.push(format!(
                "some bytes are not valid {name} and were replaced by '\u{fffd}'; set the right encoding"
            ));
        }
        warnings
    }

    fn head(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn skip_byte_order_mark(&mut self) -> Option<&'static Encoding> {
        let (encoding, length) = Encoding::for_bom(self.head())?;
        self.start += length;
        Some(encoding)
    }

    fn set_encoding(&mut self, encoding: &'static Encoding) {
        self.encoding = encoding;
        self.decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
    }

    /// Appends about `size` bytes of text. Returns false at the end of the file.
    ///
    /// # Errors
    /// A fault, after all text before the fault has been returned.
    pub(crate) fn read(&mut self, text: &mut String, size: usize) -> Result<bool, Fault> {
        let target = text.len() + size;
        while text.len() < target {
            if let Some(fault) = self.fault.take() {
                // The text before the fault is returned first.
                if text.len() + size > target {
                    self.fault = Some(fault);
                    return Ok(true);
                }
                return Err(fault);
            }
            if self.start == self.end || self.decoder.is_none() && self.is_incomplete() {
                if self.ended && self.start < self.end && self.decoder.is_none() {
                    // The file ends within a character.
                    self.refuse_byte();
                    continue;
                }
                if self.ended {
                    return Ok(self.finish(text));
                }
                if let Err(fault) = self.fill(1) {
                    self.fault = Some(fault);
                    continue;
                }
            }
            let before = text.len();
            self.decode(text);
            if let Some(at) = memchr::memchr(0, &text.as_bytes()[before..]) {
                text.truncate(before + at);
                self.fault = Some(Fault::Nul);
            }
        }
        Ok(true)
    }

    /// Returns the fault again at the next read.
    pub(crate) fn defer(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    /// Whether the rest of the buffer is the start of a character.
    fn is_incomplete(&self) -> bool {
        let rest = self.head();
        rest.len() < 4
            && std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none() && error.valid_up_to() == 0)
    }

    /// Decodes the end of the file. Returns whether text was added.
    fn finish(&mut self, text: &mut String) -> bool {
        let Some(mut decoder) = self.decoder.take() else { return false };
        let before = text.len();
        text.reserve(16);
        let (_, _, replaced) = decoder.decode_to_string(&[], text, true);
        self.replaced |= replaced;
        text.len() > before
    }

    fn decode(&mut self, text: &mut String) {
        if let Some(decoder) = &mut self.decoder {
            let bytes = &self.buffer[self.start..self.end];
            text.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3));
            let (_, read, replaced) = decoder.decode_to_string(bytes, text, false);
            self.start += read;
            self.replaced |= replaced;
            return;
        }
        let bytes = &self.buffer[self.start..self.end];
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                self.may_guess &= valid.is_ascii();
                text.push_str(valid);
                self.start = self.end;
            }
            Err(error) => {
                let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                self.may_guess &= valid.is_ascii();
                text.push_str(&valid);
                self.start += error.valid_up_to();
                if error.error_len().is_some() {
                    self.refuse_byte();
                }
            }
        }
    }

    /// The next byte is not UTF-8: continues in another encoding, or fails.
    fn refuse_byte(&mut self) {
        if !self.may_guess {
            self.fault = Some(Fault::Invalid("utf-8"));
            return;
        }
        self.guessed = true;
        self.set_encoding(guess(&self.buffer[self.start..self.end]));
    }

    /// Reads until the buffer contains at least `size` bytes, unless the file ends.
    fn fill(&mut self, size: usize) -> Result<(), Fault> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        let target = self.end + size.min(self.buffer.len() - self.end);
        while self.end < target {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => {
                    self.bytes += read as u64;
                    self.end += read;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Read(error)),
            }
        }
        Ok(())
    }
}

fn labelled(label: &str) -> Result<&'static Encoding, CsvError> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.name() != "replacement").ok_or_else(|| {
        CsvError::file(format!("the encoding '{label}' is not known; use utf-8, utf-16 or windows-1252"))
    })
}

/// UTF-16 text without a byte order mark: ASCII characters have a zero in every other byte.
fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    let mostly = |zeros: usize, others: usize| pairs >= 2 && zeros * 10 >= pairs * 7 && others * 10 <= pairs;
    if mostly(odd, even) {
        Some(UTF_16LE)
    } else if mostly(even, odd) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// The encoding that these bytes suggest. Windows-1252 gives every byte a meaning.
fn guess(bytes: &[u8]) -> &'static Encoding {
    // `€ £ ¥ ° µ ©` and typographic quotes of Windows-1252 are no letters of another encoding.
    const SIGNS: &[u8] = b"\x80\x91\x92\x93\x94\x96\x97\x99\xa0\xa3\xa5\xa7\xa9\xae\xb0\xb2\xb3\xb5";
    let letters = bytes.iter().filter(|byte| !byte.is_ascii() && !SIGNS.contains(byte)).count();
    if letters < MIN_BYTES_TO_GUESS {
        return WINDOWS_1252;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}
