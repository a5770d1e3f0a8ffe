//! Containers made by hand: old workbooks, OpenDocument, packages that lie.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A compound file with these streams, each long enough to live in whole sectors.
pub(super) fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const FREE: u32 = 0xFFFF_FFFF;
    const END: u32 = 0xFFFF_FFFE;
    let mut fat = vec![0xFFFF_FFFD, END];
    let mut directory = entry("Root Entry", 5, END, 0);
    let mut body = Vec::new();
    for (name, data) in streams {
        let mut data = data.clone();
        data.resize(data.len().max(4096).div_ceil(512) * 512, 0);
        let start = fat.len() as u32;
        directory.extend(entry(name, 2, start, data.len() as u32));
        let sectors = (data.len() / 512) as u32;
        fat.extend((1..sectors).map(|n| start + n));
        fat.push(END);
        body.extend(data);
    }
    assert!(fat.len() <= 128 && directory.len() <= 512, "one sector each is enough for a test");
    fat.resize(128, FREE);
    directory.resize(512, 0);
    let mut file = vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    file.resize(24, 0);
    for half in [0x3Eu16, 3, 0xFFFE, 9, 6] {
        file.extend(half.to_le_bytes());
    }
    file.resize(44, 0);
    // One FAT sector; directory in sector 1; no mini FAT, no further FAT list.
    for word in [1, 1, 0, 4096, END, 0, END, 0, 0u32] {
        file.extend(word.to_le_bytes());
    }
    file.extend(std::iter::repeat_n(FREE, 108).flat_map(u32::to_le_bytes));
    file.extend(fat.into_iter().flat_map(u32::to_le_bytes));
    file.extend(directory);
    file.extend(body);
    file
}

fn entry(name: &str, kind: u8, start: u32, length: u32) -> Vec<u8> {
    let mut raw: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    raw.resize(64, 0);
    raw.extend((name.len() as u16 * 2 + 2).to_le_bytes());
    raw.extend([kind, 1]);
    raw.extend([0xFFu8; 12]);
    raw.resize(116, 0);
    raw.extend(start.to_le_bytes());
    raw.extend(length.to_le_bytes());
    raw.resize(128, 0);
    raw
}

/// One record of an old workbook.
pub(super) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn bof(kind: u16) -> Vec<u8> {
    record(0x0809, &[&0x0600u16.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 12]].concat())
}

/// An `.xls` with one sheet of these records; `globals` go in front.
pub(super) fn xls(globals: &[u8], cells: &[Vec<u8>]) -> Vec<u8> {
    let head = [bof(5), globals.to_vec()].concat();
    let name: Vec<u8> = "名单".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bound = |at: u32| record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 2, 1], &name].concat());
    let start = head.len() + bound(0).len() + record(0x0A, &[]).len();
    let sheet = [bof(0x10), cells.concat(), record(0x0A, &[])].concat();
    compound(&[("Workbook", [head, bound(start as u32), record(0x0A, &[]), sheet].concat())])
}

fn place(row: u16, column: u16) -> Vec<u8> {
    [row.to_le_bytes(), column.to_le_bytes(), [0, 0]].concat()
}

pub(super) fn label(row: u16, column: u16, text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = (units.len() as u16 / 2).to_le_bytes();
    record(0x0204, &[&place(row, column)[..], &length, &[1], &units].concat())
}

pub(super) fn number(row: u16, column: u16, value: f64) -> Vec<u8> {
    record(0x0203, &[&place(row, column)[..], &value.to_le_bytes()].concat())
}

/// A package of these parts.
pub(super) fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(data).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An OpenDocument table with this body.
pub(super) fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content \
         xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
         <table:table table:name=\"名单\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let manifest = "<?xml version=\"1.0\"?><manifest:manifest \
                    xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"></manifest:manifest>";
    package(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ])
}

pub(super) fn ods_cell(text: &str) -> String {
    format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
}
