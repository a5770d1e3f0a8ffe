//! Mosquitto alone, keeping nothing: what a broker acknowledges on this machine.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running broker; ended when this is dropped.
#[derive(Debug)]
pub(super) struct Mosquitto {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Mosquitto {
    /// Starts it, or says why not.
    pub(super) fn start(folder: &Path) -> Result<Mosquitto, String> {
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?;
        let file = folder.join("mosquitto.conf");
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n\
             max_inflight_messages 0\nlog_type none\n",
            address.port()
        );
        std::fs::write(&file, text).map_err(|e| e.to_string())?;
        let names = ["mosquitto", "/usr/sbin/mosquitto"];
        let child = names.iter().find_map(|name| {
            Command::new(name).arg("-c").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        let mosquitto = Mosquitto { child: child.ok_or("mosquitto is not installed")?, address };
        for _ in 0..100 {
            if TcpStream::connect(address).is_ok() {
                return Ok(mosquitto);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err("mosquitto did not start".to_owned())
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
