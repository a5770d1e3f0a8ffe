//! How much of a file we are willing to look at, and who may stop the work.

/// Bounds for one file. The defaults take a county's whole list and refuse what could only be a
/// mistake or an attack.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The file as it arrives.
    pub file_bytes: usize,
    /// Everything inside a workbook, unpacked.
    pub unpacked_bytes: u64,
    /// The last row that may hold something; no spreadsheet program has more than 1,048,576.
    pub rows: u32,
    /// The last column that may hold something.
    pub columns: u32,
    /// Cells held in memory, the empty ones between others included.
    pub cells: usize,
    /// Text of all cells. A workbook stores a repeated text once, so a small file can name a long
    /// text a million times.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_bytes: 50 * 1024 * 1024,
            unpacked_bytes: 400 * 1024 * 1024,
            rows: 1_048_576,
            columns: 500,
            cells: 5_000_000,
            text_bytes: 200 * 1024 * 1024,
        }
    }
}

/// Who is told how far the work is, and who may stop it.
pub struct Watch<'a> {
    progress: Option<&'a mut dyn FnMut(usize, usize)>,
    stop: Option<&'a dyn Fn() -> bool>,
}

impl<'a> Watch<'a> {
    /// `progress` is told the rows done and all rows; `stop` is asked now and then.
    pub fn new(progress: &'a mut dyn FnMut(usize, usize), stop: &'a dyn Fn() -> bool) -> Watch<'a> {
        Watch { progress: Some(progress), stop: Some(stop) }
    }

    /// Nobody watches.
    pub fn nobody() -> Watch<'a> {
        Watch { progress: None, stop: None }
    }

    pub(super) fn tell(&mut self, done: usize, all: usize) {
        if let Some(progress) = &mut self.progress {
            progress(done, all);
        }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop())
    }
}
