//! A wall clock that is wrong, for one process: the program is the real one, its C library lies.

use std::path::{Path, PathBuf};

use tokio::process::Command;

/// Answers for the C library: every wall clock is `CLOCK_SKEW_S` seconds off, the monotonic one is right.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long skew(void) { const char *s = getenv("CLOCK_SKEW_S"); return s ? atol(s) : 0; }
int clock_gettime(clockid_t id, struct timespec *t) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (r == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += skew();
    return r;
}
int gettimeofday(struct timeval *t, void *z) {
    struct timespec now;
    (void)z;
    int r = clock_gettime(CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
    return r;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"#;

/// A library to be loaded before the C library's own.
pub struct Skew(PathBuf);

impl Skew {
    /// Compiles the library into `folder`, with the compiler that Rust links with.
    ///
    /// # Panics
    /// When there is none.
    pub async fn build(folder: &Path) -> Self {
        let (source, library) = (folder.join("skew.c"), folder.join("skew.so"));
        std::fs::write(&source, SOURCE).expect("written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let output = compiler.output().await.expect("cc, which Rust links with, is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(library)
    }

    /// Variables for a process whose wall clock is `seconds` ahead, or behind.
    #[must_use]
    pub fn variables(&self, seconds: i64) -> [(String, String); 2] {
        let library = self.0.to_str().expect("a path of text").to_owned();
        let variable = |name: &str, value: String| (name.to_owned(), value);
        [variable("LD_PRELOAD", library), variable("CLOCK_SKEW_S", seconds.to_string())]
    }
}
