//! Files that are not a table of text, recognized by their first bytes.

use crate::CsvError;

/// What to do about a file of this kind.
const SAVE: &str = "save the sheet as CSV and upload the CSV file";
const EXPORT: &str = "export the table as CSV and upload the CSV file";
const DECOMPRESS: &str = "decompress it and upload the CSV file in it";
const DOWNLOAD: &str = "check the address of the download and upload the data itself";
const CONVERT: &str = "convert the records to CSV and upload the CSV file";

/// The first bytes, the name and the advice of each file type.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls) or another old Office document", SAVE),
    (b"%PDF", "a PDF document", EXPORT),
    (b"{\\rtf", "an RTF document", EXPORT),
    (b"PAR1", "a Parquet file", EXPORT),
    (b"ARROW1", "an Arrow or Feather file", EXPORT),
    (b"FEA1", "a Feather file", EXPORT),
    (b"ORC", "an ORC file", EXPORT),
    (b"Obj\x01", "an Avro file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"\x89HDF", "an HDF5 file", EXPORT),
    (b"\x93NUMPY", "a NumPy array", EXPORT),
    (b"$FL2", "an SPSS file", EXPORT),
    (b"<stata_dta>", "a Stata file", EXPORT),
    (b"RDX", "an R data file", EXPORT),
    (b"\x80\x04\x95", "a Python pickle", EXPORT),
    (b"\x1f\x8b", "a gzip archive", DECOMPRESS),
    (b"BZh", "a bzip2 archive", DECOMPRESS),
    (b"\xfd7zXZ\0", "an xz archive", DECOMPRESS),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", DECOMPRESS),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", DECOMPRESS),
    (b"Rar!\x1a\x07", "a RAR archive", DECOMPRESS),
    (b"\x89PNG\r\n", "a PNG image", "upload a table"),
    (b"\xff\xd8\xff", "a JPEG image", "upload a table"),
    (b"GIF8", "a GIF image", "upload a table"),
    (b"II*\0", "a TIFF image", "upload a table"),
    (b"MM\0*", "a TIFF image", "upload a table"),
    (b"\x7fELF", "a program", "upload a table"),
    (b"version https://git-lfs.github.com/", "a Git LFS pointer and not the data", DOWNLOAD),
];

/// Starts of HTML pages, in lower case.
const HTML: &[&str] = &[
    "<!doctype html",
    "<html",
    "<head",
    "<body",
    "<table",
    "<div",
    "<script",
    "<style",
    "<meta",
    "<title",
    "<center",
    "<p>",
];
/// Starts of XML documents, in lower case.
const XML: &[&str] = &["<?xml", "<svg", "<rss", "<kml", "<gpx", "<feed", "<!doctype"];

/// Refuses a file by its first bytes.
pub(crate) fn refuse_bytes(head: &[u8]) -> Result<(), CsvError> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Err(archive(head));
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Err(refusal("a WebP image", "upload a table"));
    }
    match SIGNATURES.iter().find(|(start, ..)| head.starts_with(start)) {
        Some((_, name, advice)) => Err(refusal(name, advice)),
        None => Ok(()),
    }
}

/// A zip file is often an Office document.
fn archive(head: &[u8]) -> CsvError {
    let contains = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    if contains(b"xl/") || contains(b"[Content_Types].xml") && !contains(b"word/") && !contains(b"ppt/") {
        refusal("an Excel workbook (.xlsx)", SAVE)
    } else if contains(b"opendocument.spreadsheet") {
        refusal("an OpenDocument spreadsheet (.ods)", SAVE)
    } else if contains(b"word/") || contains(b"ppt/") || contains(b"opendocument") {
        refusal("an Office document", EXPORT)
    } else {
        refusal("a zip archive", DECOMPRESS)
    }
}

/// Refuses a file by its decoded first characters.
pub(crate) fn refuse_text(head: &str) -> Result<(), CsvError> {
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let start: String = head.chars().take(40).collect::<String>().to_ascii_lowercase();
    let starts_with = |starts: &[&str]| starts.iter().any(|tag| start.starts_with(tag));
    let may_contain_html = start.starts_with("<!--") || start.starts_with("<?xml");
    if starts_with(HTML) || (may_contain_html && head.to_ascii_lowercase().contains("<html")) {
        return Err(refusal("an HTML page", DOWNLOAD));
    }
    if starts_with(XML) || is_element(head) {
        return Err(refusal("an XML document", CONVERT));
    }
    if is_json(head) {
        return Err(refusal("a JSON document", CONVERT));
    }
    if start.starts_with("@relation") {
        return Err(refusal("an ARFF file", CONVERT));
    }
    Ok(())
}

/// An element that is closed later. `<DATE>,<TIME>` is a header that trading platforms write.
fn is_element(head: &str) -> bool {
    let Some(after) = head.strip_prefix('<') else { return false };
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':')).collect();
    !name.is_empty() && head.contains(&format!("</{name}>"))
}

fn is_json(head: &str) -> bool {
    let inner = |open: char| head.strip_prefix(open).map(str::trim_start);
    // A lone bracket at the start of a line is no JSON: `[id],name` is a header.
    inner('{').is_some_and(|inner| {
        inner.starts_with('"') && inner.contains("\":") || inner.contains("\" :") || inner.starts_with('}')
    }) || inner('[').is_some_and(|inner| inner.starts_with('{') || inner.starts_with('[') || inner.starts_with('"'))
}

fn refusal(name: &str, advice: &str) -> CsvError {
    CsvError::file(format!("the file is {name}, not a CSV file; {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_file_types_are_refused_by_name() {
        for (head, name) in [
            (&b"PK\x03\x04....[Content_Types].xml"[..], "an Excel workbook (.xlsx)"),
            (b"PK\x03\x04....mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
            (b"PK\x03\x04....data.csv", "a zip archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls)"),
            (b"%PDF-1.7", "a PDF document"),
            (b"PAR1\x15\x04", "a Parquet file"),
            (b"ARROW1\0\0", "Feather"),
            (b"\x1f\x8b\x08", "a gzip archive"),
            (b"SQLite format 3\0", "an SQLite database"),
            (b"\x89PNG\r\n\x1a\n", "a PNG image"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer"),
        ] {
            let message = refuse_bytes(head).unwrap_err().message;
            assert!(message.contains(name) && message.contains("; "), "{message}");
        }
        for (head, name) in [
            ("<!DOCTYPE html>\n<html>", "HTML"),
            ("\u{feff}\n  <HTML lang=en>", "HTML"),
            ("<table border=1><tr>", "HTML"),
            ("<!-- saved --><html>", "HTML"),
            ("<?xml version=\"1.0\"?>\n<html xmlns=\"x\">", "HTML"),
            ("<?xml version=\"1.0\"?>", "XML"),
            ("<data><row>1</row></data>", "XML"),
            ("{\"a\": 1}\n{\"a\": 2}", "JSON"),
            ("[{\"a\": 1}]", "JSON"),
            (" [\n  [1, 2]\n]", "JSON"),
            ("@relation iris\n@attribute", "ARFF"),
        ] {
            let message = refuse_text(head).unwrap_err().message;
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn headers_with_brackets_are_tables() {
        for head in ["<DATE>,<TIME>\n1,2\n", "[id],name\n1,a\n", "{id},x\n1,2\n", "a,b\n", "PAR,x\n", "id\n", ""] {
            assert!(refuse_text(head).is_ok() && refuse_bytes(head.as_bytes()).is_ok(), "{head}");
        }
    }
}
