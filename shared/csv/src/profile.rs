//! The profile of a whole file, in one pass and bounded memory.
//!
//! One thread reads, decodes and splits the file into batches of rows. The columns of a batch are counted in parallel while
//! the next batch is split. Each column sees its cells in row order, so the result does not depend on the threads.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use trainyard_domain::{ColumnProfile, DecimalMark, Header, TableFormat, TableSchema, TaskKind};

use crate::cell::missing::{MISSING_VALUE_TEXTS, Markers};
use crate::column::{Column, Context, DecimalRule, Named, Summary};
use crate::duplicates::Duplicates;
use crate::encoding::Text;
use crate::header::{Names, listed};
use crate::records::Records;
use crate::sniff::{Sniffed, sniff};
use crate::split::Batch;
use crate::{CsvError, Limits, ReadOptions, file_type, hash, target};

/// Maximum number of warnings that are listed.
const MAX_WARNINGS: usize = 100;
/// Batches that wait to be counted.
const WAITING_BATCHES: usize = 2;
/// Smaller batches are counted on one thread.
const MIN_PARALLEL_BYTES: usize = 64 << 10;
/// Names of a first column that contains row names, in lower case.
const ROW_NAMES: [&str; 6] = ["rownames", "rowname", "row.names", "row_names", "row_name", "unnamed: 0"];

/// The profile of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// How bytes become rows and fields.
    pub format: TableFormat,
    /// Number of data rows, without the header.
    pub rows: u64,
    /// Number of bytes read.
    pub bytes: u64,
    /// The column profiles, in file order.
    pub columns: Vec<ColumnProfile>,
    /// Number of rows that repeat an earlier row; a lower bound if a warning says so.
    pub duplicate_rows: u64,
    /// The column that is most likely the target.
    pub suggested_target: Option<String>,
    /// The task for the suggested target.
    pub suggested_task: Option<TaskKind>,
    /// All warnings for the user: about the table, then about its columns. Each column has its own in addition.
    pub warnings: Vec<String>,
}

impl Profile {
    /// What is needed to read the file again.
    pub fn schema(&self) -> TableSchema {
        TableSchema { format: self.format.clone(), columns: self.columns.iter().map(ColumnProfile::schema).collect() }
    }
}

/// Decides the format of a file and profiles every column.
///
/// # Errors
/// A file that is empty, of another type, or above a limit; a text that does not match the encoding; a NUL byte; a row with
/// more fields than the header; an unclosed quote; a setting that does not match the file; a failed read.
pub fn profile(reader: impl Read, options: &ReadOptions, limits: &Limits) -> Result<Profile, CsvError> {
    let mut records = Records::new(Text::open(reader, options)?, limits)?;
    let (sample, ended) = records.sample();
    file_type::refuse_text(sample)?;
    if ended && sample.trim().is_empty() {
        return Err(CsvError::file("the file is empty"));
    }
    let sniffed = sniff(sample, ended, options);
    records.start(sniffed.delimiter.byte(), sniffed.skipped_lines);
    let names = read_names(&mut records, &sniffed, options, limits)?;
    let mut columns = columns(&names, options, limits)?;
    let mut duplicates = Duplicates::new(limits.max_remembered_rows);
    let rows = read_rows(&mut records, &names.names, &mut columns, &mut duplicates)?;
    if rows == 0 {
        return Err(CsvError::file("the file has a header but no data rows"));
    }
    let summaries: Vec<Summary> = columns.into_par_iter().map(Column::summarize).collect();
    let format = TableFormat {
        delimiter: sniffed.delimiter,
        decimal: options.decimal.unwrap_or_default(),
        encoding: records.text().encoding(),
        header: options.header.unwrap_or_default(),
        missing: missing(options),
        skipped_lines: sniffed.skipped_lines,
    };
    let mut warnings = records.text().warnings();
    warnings.extend(sniffed.warnings);
    warnings.extend(names.warnings);
    warnings.extend(uneven_rows(&records));
    let mut profile = Profile {
        format,
        rows,
        bytes: records.text().bytes(),
        columns: Vec::new(),
        duplicate_rows: duplicates.count(),
        suggested_target: None,
        suggested_task: None,
        warnings,
    };
    profile.warn_about_duplicates(&duplicates);
    profile.add_columns(summaries, options);
    Ok(profile)
}

impl Profile {
    fn warn_about_duplicates(&mut self, duplicates: &Duplicates) {
        let (count, bound) = (duplicates.count(), if duplicates.is_bound() { "at least " } else { "" });
        if count > 0 {
            let verb = if count == 1 { "row repeats" } else { "rows repeat" };
            self.warnings.push(format!("{bound}{count} {verb} an earlier row"));
        } else if duplicates.is_bound() {
            self.warnings
                .push("the file has too many rows to count all duplicate rows; none was found among the first".into());
        }
    }

    /// Decides the types of all columns.
    fn add_columns(&mut self, mut summaries: Vec<Summary>, options: &ReadOptions) {
        let named = summaries.iter().rposition(|summary| !summary.is_unnamed_and_empty()).map_or(1, |last| last + 1);
        let dropped = summaries.len() - named.max(1);
        summaries.truncate(named.max(1));
        if dropped > 0 {
            let columns =
                if dropped == 1 { "1 empty column was".to_owned() } else { format!("{dropped} empty columns were") };
            self.warnings.push(format!("{columns} dropped: the last columns have neither a name nor a value"));
        }
        let rule = decimal_rule(&summaries, self, options);
        self.format.decimal = rule.set.or(rule.voted).unwrap_or_default();
        let context = Context {
            format: &self.format,
            rule,
            rows: self.rows,
            na_is_missing: options.missing.iter().any(|text| text.trim() == "NA"),
        };
        self.columns = summaries.into_par_iter().map(|summary| summary.profile(&context)).collect();
        if let Some((target, task)) = target::suggest(&self.columns, self.rows) {
            (self.suggested_target, self.suggested_task) = (Some(target), Some(task));
        }
        self.warnings.extend(self.columns.iter().flat_map(|column| column.warnings.iter().cloned()));
        if self.warnings.len() > MAX_WARNINGS {
            let more = self.warnings.len() - MAX_WARNINGS;
            self.warnings.truncate(MAX_WARNINGS);
            self.warnings.push(format!("{more} more warnings are not listed"));
        }
    }
}

fn decimal_rule(summaries: &[Summary], profile: &Profile, options: &ReadOptions) -> DecimalRule {
    let votes: Vec<DecimalMark> = summaries.iter().filter_map(Summary::vote).collect();
    let commas = votes.iter().filter(|mark| **mark == DecimalMark::Comma).count();
    let voted = if commas * 2 > votes.len() { DecimalMark::Comma } else { DecimalMark::Point };
    DecimalRule {
        set: options.decimal,
        voted: (!votes.is_empty()).then_some(voted),
        delimiter: profile.format.delimiter,
    }
}

/// The common markers and those of the caller.
fn missing(options: &ReadOptions) -> Vec<String> {
    let own = options
        .missing
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty() && !MISSING_VALUE_TEXTS.contains(text));
    MISSING_VALUE_TEXTS.iter().copied().chain(own).map(str::to_owned).collect()
}

fn read_names<R: Read>(
    records: &mut Records<R>,
    sniffed: &Sniffed,
    options: &ReadOptions,
    limits: &Limits,
) -> Result<Names, CsvError> {
    if options.header == Some(Header::Absent) {
        if sniffed.width > limits.max_columns {
            return Err(CsvError::file(format!("the rows have more than {} columns", limits.max_columns)));
        }
        return Ok(Names::numbered(sniffed.width));
    }
    match records.header()? {
        Some(header) if header.iter().all(|name| name.trim().is_empty()) => {
            Err(CsvError::file("the header has no column names; set header=absent if the file has no header"))
        }
        Some(header) => Names::repair(&header, sniffed.is_header_short, limits),
        None => Err(CsvError::file("the file is empty")),
    }
}

fn columns(names: &Names, options: &ReadOptions, limits: &Limits) -> Result<Vec<Column>, CsvError> {
    if let Some(name) = options.types.keys().find(|name| !names.names.contains(name)) {
        let known: Vec<String> = names.names.iter().map(|name| format!("'{name}'")).collect();
        return Err(CsvError::setting(
            "types",
            format!("names the column '{name}', but the columns are {}", listed(&known)),
        ));
    }
    let share = (limits.max_distinct_total / names.names.len()).clamp(1, limits.max_distinct);
    let markers = Markers::new(&options.missing);
    let columns = names.names.iter().zip(&names.is_given).enumerate().map(|(at, (name, is_given))| {
        let named = Named {
            name: name.clone(),
            position: at + 1,
            is_given: *is_given,
            dtype: options.types.get(name).copied(),
            can_be_row_names: at == 0
                && names.names.len() > 1
                && (!is_given || ROW_NAMES.contains(&name.to_lowercase().as_str())),
        };
        Column::new(named, markers.clone(), share)
    });
    Ok(columns.collect())
}

fn uneven_rows<R: Read>(records: &Records<R>) -> Vec<String> {
    let uneven = records.uneven();
    let mut warnings = Vec::new();
    let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    if uneven.short > 0 {
        let (short, first) = (rows(uneven.short), uneven.first_short);
        warnings.push(format!(
            "{short} with fewer fields than the header; the missing cells have no value; the first such row is {first}"
        ));
    }
    if uneven.long > 0 {
        let long = rows(uneven.long);
        warnings.push(format!("{long} with additional empty fields at the end were read without those fields"));
    }
    warnings
}

/// Counts all rows. Returns their number.
fn read_rows<R: Read>(
    records: &mut Records<R>,
    names: &[String],
    columns: &mut [Column],
    duplicates: &mut Duplicates,
) -> Result<u64, CsvError> {
    let mut batch = Batch::default();
    if !records.next_batch(&mut batch, names)? {
        return Ok(0);
    }
    let mut next = Batch::default();
    let mut rows = batch.rows() as u64;
    if !records.next_batch(&mut next, names)? {
        count(&batch, columns, duplicates);
        return Ok(rows);
    }
    std::thread::scope(|scope| {
        let (full, to_count): (SyncSender<Batch>, Receiver<Batch>) = sync_channel(WAITING_BATCHES);
        let (counted, empty) = channel();
        let counter = scope.spawn(move || {
            for batch in to_count {
                count(&batch, columns, duplicates);
                // The receiver is gone if a row was refused.
                let _ = counted.send(batch);
            }
        });
        let mut batches = vec![batch, next];
        rows = 0;
        let mut result = Ok(());
        loop {
            for batch in batches.drain(..) {
                rows += batch.rows() as u64;
                if full.send(batch).is_err() {
                    break;
                }
            }
            let mut batch = empty.try_recv().unwrap_or_default();
            match records.next_batch(&mut batch, names) {
                Ok(true) => batches.push(batch),
                Ok(false) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        drop(full);
        if let Err(panic) = counter.join() {
            std::panic::resume_unwind(panic);
        }
        result.map(|()| rows)
    })
}

/// Counts the rows of a batch, with the columns in parallel.
fn count(batch: &Batch, columns: &mut [Column], duplicates: &mut Duplicates) {
    let first = batch.first_row;
    let keys: Vec<u128> = (first..first + batch.rows() as u64).map(hash::row_key).collect();
    let width = columns.len();
    if batch.text.len() < MIN_PARALLEL_BYTES {
        duplicates.add(&batch.row_hashes);
        for (at, column) in columns.iter_mut().enumerate() {
            column.push(batch, at, width, &keys);
        }
        return;
    }
    let push = || {
        let columns = columns.par_iter_mut().enumerate().with_min_len(width.div_ceil(64));
        columns.for_each(|(at, column)| column.push(batch, at, width, &keys));
    };
    rayon::join(push, || duplicates.add(&batch.row_hashes));
}
