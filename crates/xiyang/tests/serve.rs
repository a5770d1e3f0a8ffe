//! The program from outside: how it starts, refuses to start, and ends.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod common;

use std::{io::Write as _, net::TcpStream, os::unix::fs::PermissionsExt as _, time::Instant};

use common::{Folder, Server, xiyang};

/// Exit code and what was said on stderr.
fn refusal(args: &[&str]) -> String {
    let output = xiyang(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_server_comes_up_ends_when_asked_and_leaves_data_without_troubles() {
    let folder = Folder::new("serve");
    std::fs::create_dir_all(&folder.0).unwrap();
    let data = folder.0.join("data");
    let data = data.to_str().unwrap();
    let server = Server::start(&["serve", "--data", data, "--listen", "127.0.0.1:0"], &folder.0.join("log"));
    assert_eq!(server.get("/health"), (200, "ok".to_owned()));
    let said = std::fs::read_to_string(folder.0.join("log")).unwrap();
    let code = said.split_once("一次性代码 ").unwrap().1.split(' ').next().unwrap();
    assert_eq!(code.len(), 24, "{said}");
    assert!(said.contains(&format!("http://{}/first", server.address)), "{said}");
    assert_eq!(server.get("/first").0, 200);

    let second = refusal(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
    assert!(second.contains("另一个 xiyang") && second.contains("in use by another"), "{second}");
    // Looking is allowed while a server is at work.
    assert_eq!(xiyang(&["verify", "--data", data]).status.code(), Some(0));

    // A connection that stays open and says nothing must not hold the end up.
    let mut idle = TcpStream::connect(&server.address).unwrap();
    idle.write_all(b"GET /hea").unwrap();
    let asked = Instant::now();
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(asked.elapsed().as_secs() < 15, "{log}");
    assert!(!log.contains("ERROR"), "{log}");

    let verify = xiyang(&["verify", "--data", data]);
    let said = String::from_utf8(verify.stdout).unwrap();
    assert!(said.starts_with("0 troubles"), "{said}");
}

#[test]
fn a_taken_port_is_told_before_anything_else() {
    let folder = Folder::new("port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal(&["serve", "--data", folder.path(), "--listen", &address]);
    assert!(said.contains("已被占用") && said.contains("is taken"), "{said}");
}

#[test]
fn a_wrong_lost_or_open_key_stops_the_program() {
    let folder = Folder::new("key");
    let args = ["serve", "--data", folder.path(), "--listen", "127.0.0.1:0"];
    std::fs::create_dir_all(&folder.0).unwrap();
    Server::start(&args, &folder.0.join("log")).end();
    let key = folder.0.join("keys/master.key");
    let good = std::fs::read_to_string(&key).unwrap();

    std::fs::write(&key, "0".repeat(64)).unwrap();
    assert!(refusal(&args).contains("密钥与这份数据不符"));
    assert!(refusal(&["verify", "--data", folder.path()]).contains("密钥与这份数据不符"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refusal(&args).contains("chmod 600"));
    std::fs::remove_file(&key).unwrap();
    assert!(refusal(&args).contains("找不到密钥"));
    assert!(!key.exists(), "a new key would have made the old data unreadable");

    std::fs::write(&key, good).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(xiyang(&["verify", "--data", folder.path()]).status.code(), Some(0));
}

#[test]
fn wrong_use_is_told_in_words_and_with_2() {
    let folder = Folder::new("use");
    assert!(refusal(&["serve"]).contains("--data"));
    assert!(refusal(&["serve", "--data", "a", "--database", "b"]).contains("--data"));
    assert!(refusal(&["serve", "--data", folder.path(), "--listen", "here"]).contains("--listen"));
    assert!(refusal(&["verify", "--data", folder.path()]).contains("没有数据"));
    assert!(!folder.0.exists(), "looking makes nothing");
    assert!(refusal(&["serve", "--data", "/proc/nowhere"]).contains("/proc/nowhere"));
    let said =
        refusal(&["serve", "--database", "postgres://nobody@127.0.0.1:1/none", "--keys", folder.path()]);
    assert!(said.contains("连不上 PostgreSQL") && said.contains("cannot reach PostgreSQL"), "{said}");
}
