//! `xiyang decode PROTOCOL [FILE]`: what devices sent, as events.
//!
//! Reads frames one a line (hex or text) or documents (XML, JSON) and prints one JSON object for each event, and one for
//! each refused frame. What is refused is also said on stderr in a sentence, with its line, for the maker of the device.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use domain::signals::feed::{Feed, LINE_BYTES_MAX, Protocol, Told};

use crate::complaint::{CHECK_FAILED, Complaint};

/// Sentences on stderr; a capture of a broken device would fill the screen with the same one.
const SENTENCES_MAX: u64 = 20;

/// Arguments of `xiyang decode`.
#[derive(Debug, clap::Args)]
pub(crate) struct DecodeArgs {
    /// 协议：watch、gb26875、cjt188、scaip、mqtt、fhir。Protocol
    protocol: String,
    /// 文件，省略或写 - 时读标准输入；每行一帧（十六进制或文本），# 开头的行略过。File, stdin if left out
    file: Option<PathBuf>,
}

pub(crate) fn run(args: DecodeArgs) -> Result<ExitCode, Complaint> {
    let protocol = protocol(&args.protocol)?;
    let from_file = args.file.filter(|file| file.as_os_str() != "-");
    let shown = from_file.clone().unwrap_or_else(|| PathBuf::from("stdin"));
    let input: Box<dyn Read> = match &from_file {
        Some(path) => Box::new(open(path)?),
        None => Box::new(io::stdin().lock()),
    };
    let mut teller = Teller { out: BufWriter::new(io::stdout().lock()), refused: 0, events: 0, broken: None };
    read(protocol, BufReader::with_capacity(64 * 1024, input), &mut teller)
        .map_err(|e| Complaint::file(&shown, &e))?;
    teller.end()
}

fn protocol(name: &str) -> Result<Protocol, Complaint> {
    let lower = name.to_lowercase();
    // The standard's full number is what its own objects carry.
    let code = if lower == "gb26875.3" { "gb26875" } else { lower.as_str() };
    Protocol::from_code(code).ok_or_else(|| {
        let names: Vec<_> = Protocol::ALL.iter().map(|p| format!("{}（{}）", p.code(), p.label())).collect();
        let codes: Vec<_> = Protocol::ALL.iter().map(|p| p.code()).collect();
        Complaint::new(
            format!("没有协议 {name}。可以选：{}", names.join("、")),
            format!("there is no protocol {name}; choose one of: {}", codes.join(" ")),
        )
    })
}

fn open(path: &Path) -> Result<File, Complaint> {
    let file = File::open(path).map_err(|e| Complaint::file(path, &e))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        let shown = path.display();
        return Err(Complaint::new(
            format!("{shown} 是目录，请给出文件"),
            format!("{shown} is a folder; name a file"),
        ));
    }
    Ok(file)
}

/// Feeds line by line. A line that does not fit is read over and refused as a whole.
fn read(protocol: Protocol, mut input: impl BufRead, teller: &mut Teller<'_>) -> io::Result<()> {
    let mut feed = Feed::new(protocol);
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        let (piece, ended) = match chunk.iter().position(|b| *b == b'\n') {
            Some(end) => (&chunk[..end], true),
            None => (chunk, chunk.is_empty()),
        };
        let used = piece.len() + usize::from(ended && !chunk.is_empty());
        too_long |= line.len() + piece.len() > LINE_BYTES_MAX;
        if !too_long {
            line.extend_from_slice(piece);
        }
        let over = chunk.is_empty();
        if ended && !(over && line.is_empty() && !too_long) {
            if too_long {
                feed.line_too_long(&mut |told| teller.tell(told));
            } else {
                feed.line(&line, &mut |told| teller.tell(told));
            }
            line.clear();
            too_long = false;
        }
        if over {
            feed.end(&mut |told| teller.tell(told));
            return Ok(());
        }
        // Whoever watches a device live should not wait for a full buffer.
        if used == chunk.len() {
            teller.flush();
        }
        input.consume(used);
        if teller.broken.is_some() {
            return Ok(());
        }
    }
}

/// Writes what is told.
struct Teller<'a> {
    out: BufWriter<io::StdoutLock<'a>>,
    events: u64,
    refused: u64,
    /// Why nothing more can be written.
    broken: Option<io::Error>,
}

impl Teller<'_> {
    fn tell(&mut self, told: Told<'_>) {
        if self.broken.is_some() {
            return;
        }
        let written = match &told.result {
            Ok(event) => {
                self.events += 1;
                serde_json::to_writer(&mut self.out, event)
            }
            Err(rejected) => {
                self.refused += 1;
                if self.refused <= SENTENCES_MAX {
                    // Nobody is left to tell when stderr is closed.
                    let _ = writeln!(io::stderr(), "第 {} 行：{rejected}", told.line);
                }
                serde_json::to_writer(&mut self.out, rejected)
            }
        };
        if let Err(e) = written.map_err(io::Error::from).and_then(|()| self.out.write_all(b"\n")) {
            self.broken = Some(e);
        }
    }

    fn flush(&mut self) {
        if let Err(e) = self.out.flush() {
            self.broken.get_or_insert(e);
        }
    }

    fn end(mut self) -> Result<ExitCode, Complaint> {
        self.flush();
        match self.broken {
            // Whoever read our output has seen enough.
            Some(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
            Some(e) => return Err(Complaint::file(Path::new("stdout"), &e)),
            None => {}
        }
        if self.refused > SENTENCES_MAX || io::stderr().is_terminal() {
            let (events, refused) = (self.events, self.refused);
            let _ = writeln!(io::stderr(), "{events} 个事件，{refused} 处不能解码");
        }
        Ok(if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) })
    }
}
