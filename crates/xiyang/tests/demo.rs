//! The rehearsal: a small city comes up, lives a while, ends and comes up again.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;

use std::time::{Duration, Instant};

use common::{Folder, Server, xiyang};

fn demo(data: &str, log: &std::path::Path) -> Server {
    let args =
        ["demo", "--people", "500", "--seed", "7", "--data", data, "--listen", "127.0.0.1:0", "--quiet"];
    Server::start(&args, log)
}

#[test]
fn a_city_comes_up_lives_and_comes_up_again() {
    let folder = Folder::new("demo");
    std::fs::create_dir_all(&folder.0).unwrap();
    let data = folder.0.join("city");
    let data = data.to_str().unwrap();

    let city = demo(data, &folder.0.join("first.log"));
    assert_eq!(city.get("/health").0, 200);
    std::thread::sleep(Duration::from_secs(20));
    let (code, log) = city.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR") && !log.contains("WARN") && !log.contains("panicked"), "{log}");

    let verify = xiyang(&["verify", "--data", data]);
    let first = String::from_utf8(verify.stdout).unwrap();
    assert_eq!(verify.status.code(), Some(0), "{first}");
    assert!(first.starts_with("0 troubles") && count(&first, "orders") > 250, "{first}");

    let begun = Instant::now();
    let again = demo(data, &folder.0.join("second.log"));
    assert!(begun.elapsed() < Duration::from_secs(10), "a city that is there is not made again");
    let (code, log) = again.end();
    assert_eq!(code, Some(0), "{log}");
    let second = String::from_utf8(xiyang(&["verify", "--data", data]).stdout).unwrap();
    assert!(count(&second, "orders") >= count(&first, "orders"), "{first}{second}");
}

#[test]
fn a_folder_with_another_city_or_none_is_left_alone() {
    let folder = Folder::new("demo-other");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("xiyang.db"), "not a demo").unwrap();
    let args = ["demo", "--people", "500", "--data", folder.path(), "--listen", "127.0.0.1:0"];
    let output = xiyang(&args);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("不属于演示"));
    assert_eq!(std::fs::read(folder.0.join("xiyang.db")).unwrap(), b"not a demo");
    assert_eq!(xiyang(&["demo", "--pack", "atlantis"]).status.code(), Some(2));
    assert_eq!(xiyang(&["demo", "--people", "5"]).status.code(), Some(2));
}

/// The number after a word in the summary of `verify`.
fn count(summary: &str, what: &str) -> i64 {
    let rest = summary.split_once(&format!("{what} ")).map_or("", |(_, rest)| rest);
    rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).unwrap_or(-1)
}
