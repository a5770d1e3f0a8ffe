//! What a bench found, for programs as one JSON object and for people as a table.

use std::{io::Write as _, path::Path};

use serde_json::{Map, Value, json};

use crate::complaint::Complaint;

/// Figures, limits and the machine of one run.
#[derive(Debug)]
pub(super) struct Report {
    name: &'static str,
    figures: Map<String, Value>,
    limits: Map<String, Value>,
}

impl Report {
    pub(super) fn new(name: &'static str) -> Report {
        Report { name, figures: Map::new(), limits: Map::new() }
    }

    /// Something the product (or a peer) did.
    pub(super) fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.insert(name.into(), rounded(value));
    }

    /// Something nobody on this machine can go beyond.
    pub(super) fn limit(&mut self, name: impl Into<String>, value: f64) {
        self.limits.insert(name.into(), rounded(value));
    }

    /// Something that was not measured, and why.
    pub(super) fn skipped(&mut self, name: impl Into<String>, why: &str) {
        self.limits.insert(name.into(), format!("skipped: {why}").into());
    }

    /// Adds how often one number of this run goes into another, when both were measured.
    pub(super) fn compare(&mut self, this: &str, that: &str, name: &str) {
        let number = |name: &str| self.figures.get(name).or(self.limits.get(name)).and_then(Value::as_f64);
        if let Some((this, that)) = number(this).zip(number(that)) {
            self.figure(name, this / that);
        }
    }

    /// Prints it all on stdout.
    pub(super) fn print(self, as_json: bool) -> Result<(), Complaint> {
        let machine = machine();
        let mut out = std::io::stdout().lock();
        let mut write = || -> std::io::Result<()> {
            if as_json {
                let all = json!({
                    "name": self.name, "figures": self.figures, "limits": self.limits, "machine": machine,
                });
                return writeln!(out, "{all}");
            }
            writeln!(out, "{}", self.name)?;
            for (title, values) in
                [("figures", &self.figures), ("limits", &self.limits), ("machine", &machine)]
            {
                writeln!(out, "  {title}")?;
                for (name, value) in values {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    writeln!(out, "    {name:<28} {value}")?;
                }
            }
            Ok(())
        };
        write().map_err(|e| Complaint::file(Path::new("stdout"), &e))
    }
}

/// Three significant places are more than a shared machine can repeat.
fn rounded(value: f64) -> Value {
    let places = if value.abs() >= 100.0 { 0 } else { 3 };
    let factor = 10_f64.powi(places);
    let value = (value * factor).round() / factor;
    if places == 0 { json!(value as i64) } else { json!(value) }
}

/// The value below which this share of the values lies; sorts them.
pub(super) fn percentile(values: &mut [u32], share: f64) -> f64 {
    values.sort_unstable();
    let at = ((values.len() as f64 * share).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    values.get(at).copied().map_or(f64::NAN, f64::from)
}

fn machine() -> Map<String, Value> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let memory_kib = field(&read("/proc/meminfo"), "MemTotal");
    let memory_kib: f64 = memory_kib.trim_end_matches(" kB").parse().unwrap_or_default();
    let mut machine = Map::new();
    machine.insert("cores".into(), std::thread::available_parallelism().map_or(0, usize::from).into());
    machine.insert("cpu".into(), field(&read("/proc/cpuinfo"), "model name").into());
    machine.insert("memory_gib".into(), rounded(memory_kib / 1024.0 / 1024.0));
    machine.insert("kernel".into(), read("/proc/sys/kernel/osrelease").trim().into());
    machine.insert("load1".into(), read("/proc/loadavg").split(' ').next().unwrap_or_default().into());
    machine.insert("optimised".into(), (!cfg!(debug_assertions)).into());
    machine
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(&mut values, 0.99), 99.0);
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut [7], 0.99), 7.0);
        assert!(percentile(&mut [], 0.99).is_nan());
    }
}
