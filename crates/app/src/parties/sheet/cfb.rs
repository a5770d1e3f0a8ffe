//! Just enough of the compound file format (the container of `.xls`) to look inside before the
//! workbook library does: which streams there are, and one stream's bytes.
//!
//! Every chain of sectors is bounded by the number of sectors, so a chain that bites its own tail
//! makes the file broken instead of filling the memory.

const END: u32 = 0xFFFF_FFFE;
const RESERVED: u32 = 0xFFFF_FFFA;
/// Streams shorter than this live in the mini stream.
const MINI_CUTOFF: usize = 4096;
const MINI_SECTOR: usize = 64;

pub(super) struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    start: u32,
    length: usize,
}

impl<'a> Compound<'a> {
    /// `None` for a file that is cut short or knotted.
    pub(super) fn open(bytes: &'a [u8]) -> Option<Compound<'a>> {
        let sector = match u16_at(bytes, 30)? {
            9 => 512,
            12 => 4096,
            _ => return None,
        };
        let mut file = Compound {
            bytes,
            sector,
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini: Vec::new(),
            entries: Vec::new(),
        };
        file.fat = file.read_fat()?;
        let directory = file.chain(u32_at(bytes, 48)?)?;
        file.entries = directory.chunks_exact(128).filter_map(|raw| entry(raw, sector)).collect();
        let (mini_start, mini_sectors) = (u32_at(bytes, 60)?, u32_at(bytes, 64)?);
        if mini_sectors > 0 {
            file.mini_fat = numbers(&file.chain(mini_start)?).collect();
            file.mini = file.chain(file.entries.first()?.start)?;
        }
        Some(file)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(super) fn stream(&self, name: &str) -> Option<Vec<u8>> {
        let entry = self.find(name)?;
        let mut whole =
            if entry.length < MINI_CUTOFF { self.mini_chain(entry.start)? } else { self.chain(entry.start)? };
        whole.truncate(entry.length);
        (whole.len() == entry.length).then_some(whole)
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.name.eq_ignore_ascii_case(name))
    }

    /// The header names the first 109 sectors of the table; more follow in a list of their own.
    fn read_fat(&self) -> Option<Vec<u32>> {
        let mut places: Vec<u32> = numbers(self.bytes.get(76..512)?).collect();
        let mut next = u32_at(self.bytes, 68)?;
        let mut left = self.sectors();
        while next < RESERVED {
            left = left.checked_sub(1)?;
            let mut more: Vec<u32> = numbers(self.sector(next)?).collect();
            next = more.pop()?;
            places.append(&mut more);
        }
        let mut fat = Vec::new();
        for place in places.into_iter().filter(|p| *p < RESERVED).take(self.sectors()) {
            fat.extend(numbers(self.sector(place)?));
        }
        Some(fat)
    }

    fn sectors(&self) -> usize {
        self.bytes.len() / self.sector + 1
    }

    fn sector(&self, at: u32) -> Option<&'a [u8]> {
        let from = (at as usize).checked_add(1)?.checked_mul(self.sector)?;
        let rest = self.bytes.get(from..)?;
        // The last sector of a file may be cut short.
        (!rest.is_empty()).then(|| &rest[..rest.len().min(self.sector)])
    }

    fn chain(&self, start: u32) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        let mut left = self.sectors();
        let mut at = start;
        while at != END {
            left = left.checked_sub(1)?;
            whole.extend_from_slice(self.sector(at)?);
            at = *self.fat.get(at as usize)?;
        }
        Some(whole)
    }

    fn mini_chain(&self, start: u32) -> Option<Vec<u8>> {
        let mut whole = Vec::new();
        let mut left = self.mini.len() / MINI_SECTOR + 1;
        let mut at = start;
        while at != END {
            left = left.checked_sub(1)?;
            let from = at as usize * MINI_SECTOR;
            whole.extend_from_slice(self.mini.get(from..from + MINI_SECTOR)?);
            at = *self.mini_fat.get(at as usize)?;
        }
        Some(whole)
    }
}

fn entry(raw: &[u8], sector: usize) -> Option<Entry> {
    let units = raw[..64].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let name: String =
        char::decode_utf16(units.take_while(|unit| *unit != 0)).filter_map(Result::ok).collect();
    let start = u32_at(raw, 116)?;
    let low = u32_at(raw, 120)? as usize;
    // The upper half of the length means nothing in files with small sectors.
    let high = if sector == 512 { 0 } else { u32_at(raw, 124)? as usize };
    (!name.is_empty()).then_some(Entry { name, start, length: low | high << 32 })
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}
