//! A full disk: readings have to wait, and the press that stands behind thousands of them comes through.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    Platform, SENSORS, SOON, button,
    common::Folder,
    compare, devices_in,
    doors::{Mqtt, topic},
    local,
    mosquitto::{self, Mosquitto},
    nats::{self, Cluster},
    town, until,
};

const FULL: &str = "the disk is full: readings are refused";
/// Neither counter nor time: only when it was taken tells it from another.
const PRESS: &[u8] = br#"{"event":"sos"}"#;

/// A small disk, gone when this is dropped.
struct Disk(PathBuf);

impl Disk {
    /// None where disks cannot be mounted.
    fn mount(folder: &Folder) -> Option<Disk> {
        let path = folder.0.join("disk");
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", "size=96m", "tmpfs"]).arg(&path).output();
        done.is_ok_and(|done| done.status.success()).then_some(Disk(path))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn fill(file: &Path) {
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn a_press_in_a_stream_passes_readings_that_a_full_disk_refuses() {
    let folder = Folder::new("full-nats");
    let (Some(disk), Some(cluster)) = (Disk::mount(&folder), Cluster::new(&folder.0, 1)) else {
        eprintln!("no disk can be mounted here or nats-server is not installed, so this is not tried");
        return;
    };
    let data = disk.0.join("data");
    devices_in(&data);
    let mut platform = Platform::on(data.clone(), &folder.0, &["--nats", &cluster.urls()]);
    until("the program reads the stream", SOON, || platform.said(nats::READY));
    fill(&disk.filler());
    let mut gateway = nats::Gateway::connect(cluster.ports[0]).unwrap();
    let mut sent = 0;
    // More than the cluster hands out without an acknowledgement, after the disk was found full.
    let mut more = 12_000;
    while more > 0 {
        gateway.publish(&nats::readings(0, sent + 1..=sent + 500)).unwrap();
        sent += 500;
        more -= if platform.said(FULL) { 500 } else { 0 };
        assert!(sent < 500_000, "the disk does not get full");
    }
    gateway.publish(&[(format!("devices.mqtt.{}", button(0)), PRESS.to_vec())]).unwrap();
    until("the press is an incident", SOON, || town::presses(&data).len() == 1);
    assert!(town::stored(&data).0 < sent as i64, "the disk is still full");

    std::fs::remove_file(disk.filler()).unwrap();
    until("all is answered for", 2 * SOON, || nats::left_over(cluster.ports[0]) == (0, 0));
    platform.end();
    let mut told = [0; SENSORS];
    told[0] = sent;
    assert_eq!(compare(&data, &told), (0, 0));
    assert_eq!(town::presses(&data).len(), 1, "it came twice and is one");
}

#[test]
fn a_press_at_a_broker_passes_readings_that_a_full_disk_refuses() {
    let folder = Folder::new("full-mosquitto");
    let (Some(disk), Some(broker)) = (Disk::mount(&folder), Mosquitto::new(&folder.0)) else {
        eprintln!("no disk can be mounted here or mosquitto is not installed, so this is not tried");
        return;
    };
    let data = disk.0.join("data");
    devices_in(&data);
    let mut platform = Platform::on(data.clone(), &folder.0, &["--broker", &broker.url()]);
    until("the program subscribes", SOON, || platform.said(mosquitto::READY));
    fill(&disk.filler());
    let mut gateway = Mqtt::anonymous(local(broker.port), "gateway").unwrap();
    let (mut sent, mut more) = (0, 6_000);
    while more > 0 {
        gateway.publish_all(&mosquitto::readings(0, sent + 1..=sent + 500)).unwrap();
        sent += 500;
        more -= if platform.said(FULL) { 500 } else { 0 };
        assert!(sent < 500_000, "the disk does not get full");
    }
    gateway.publish_all(&[(topic("sos", &button(0)), PRESS.to_vec())]).unwrap();
    until("the press is an incident", SOON, || town::presses(&data).len() == 1);
    until("it is said what that costs", SOON, || platform.said("readings of the MQTT broker are lost"));
    let refused = town::stored(&data).0;

    std::fs::remove_file(disk.filler()).unwrap();
    until("readings are taken again", SOON, || {
        sent += 1;
        gateway.publish_all(&mosquitto::readings(0, sent..=sent)).unwrap();
        town::stored(&data).0 > refused
    });
    platform.end();
    let found = town::readings(&data);
    assert!(found.values().flat_map(|times| times.values()).all(|times| *times == 1));
    assert_eq!(town::presses(&data).len(), 1);
}
