//! Over TLS with a client certificate, with auth on.

use etcd_testkit::Etcd as _;
use etcd_testkit::real::{Server, Tls};
use etcd_tests::each_real_server;

use crate::program::{end, of};

#[tokio::test]
async fn certificates_come_by_every_name() {
    each_real_server(
        |binary| Server::builder(binary).tls(Tls::new().client_cert_auth()).auth("secret").without_guest(),
        async |server| {
            let directory = tempfile::tempdir().unwrap();
            let file = |name: &str, text: &str| {
                let path = directory.path().join(name).to_str().unwrap().to_owned();
                std::fs::write(&path, text).unwrap();
                path
            };
            let ca = file("ca.pem", server.certificates().ca_pem());
            let (cert, key) = server.certificates().client_cert();
            let (cert, key) = (file("cert.pem", cert), file("key.pem", key));
            assert!(server.endpoints()[0].starts_with("https://"));
            for names in [["--cacert", "--cert", "--key"], ["--ca-file", "--cert-file", "--key-file"]] {
                let mut set = of(server);
                set.args([
                    names[0],
                    &ca,
                    names[1],
                    &cert,
                    "set",
                    names[2],
                    &key,
                    "-u",
                    "root:secret",
                    "/a",
                    "1",
                ]);
                let ended = end(&mut set);
                assert_eq!((ended.code, &*ended.stdout), (Some(0), "1\n"), "{}", ended.stderr);
            }
            let get = |variables: &[(&str, &str)]| {
                end(of(server).envs(variables.iter().copied()).args(["get", "/a"]))
            };
            let user = ("ETCDCTL_USER", "root:secret");
            for names in [
                ["ETCDCTL_CACERT", "ETCDCTL_CERT", "ETCDCTL_KEY"],
                ["ETCDCTL_CA_FILE", "ETCDCTL_CERT_FILE", "ETCDCTL_KEY_FILE"],
            ] {
                let all = [(names[0], &*ca), (names[1], &*cert), (names[2], &*key), user];
                assert_eq!(get(&all).stdout, "1\n");
                let wrong = [&all[..3], &[("ETCDCTL_USER", "root:wrong")]].concat();
                assert_eq!(get(&wrong).code, Some(6), "with a wrong password");
            }
            // Without a certificate, and without trust: nothing is read, and both are told from a server that is away.
            let without = get(&[("ETCDCTL_CACERT", &*ca), user]);
            assert!(without.code != Some(0) && without.stderr.contains("error: "), "{}", without.stderr);
            let distrust = get(&[user]);
            assert_eq!(distrust.code, Some(7), "{}", distrust.stderr);
            assert!(distrust.stderr.contains("no TLS"), "{}", distrust.stderr);
            // A file of the options beside those of the environment.
            let mut mixed = of(server);
            mixed.envs([("ETCDCTL_CERT", &cert), ("ETCDCTL_KEY", &key), ("ETCDCTL_CACERT", &cert)]);
            let mixed = end(mixed.args(["--cacert", &ca, "-u", "root:secret", "get", "/a"]));
            assert_eq!((mixed.code, &*mixed.stdout), (Some(0), "1\n"), "{}", mixed.stderr);
        },
    )
    .await;
}
