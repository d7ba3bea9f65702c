#include "folder.h"

#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

Entry entry_of(const char *path) { return (Entry){AT_FDCWD, path, path}; }

/* ---- reading ---- */

/* Reading a mapped page that is no longer in the file raises SIGBUS. */
static void file_shrank(int signal_number) {
    (void)signal_number;
    static const char line[] =
        "a file was cut short by another program while this one read it; start again\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(1);
}

/* Opening a FIFO must not wait for a writer. */
const char *file_map(Entry entry, void **bytes, size_t *size) {
    struct sigaction action = {.sa_handler = file_shrank};
    struct stat about;
    int descriptor = openat(entry.folder, entry.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *bytes = NULL;
    *size = 0;
    if (descriptor < 0) return strerror(errno);
    const char *reason = NULL;
    sigaction(SIGBUS, &action, NULL);
    errno = 0;
    if (fstat(descriptor, &about))
        reason = strerror(errno);
    else if (!S_ISREG(about.st_mode))
        reason = "it is no regular file";
    else if (about.st_size == 0)
        reason = "it is empty";
    else if ((uintmax_t)about.st_size > SIZE_MAX)
        reason = "it is too large for this machine";
    if (!reason) {
        *size = (size_t)about.st_size;
        *bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
        if (*bytes == MAP_FAILED) reason = strerror(errno);
    }
    close(descriptor);
    return reason;
}

const char *file_read(Entry entry, Buffer *text) {
    void *bytes;
    size_t size;
    const char *reason = file_map(entry, &bytes, &size);
    if (reason) return reason;
    buffer_bytes(text, bytes, size);
    munmap(bytes, size);
    return NULL;
}

/* ---- writing ---- */

/* Ends the program: the latest call, for the file of this path, failed with errno. When no file has
   taken its name, what is temporary is removed; else it stays, whole, for --resume to find. */
static _Noreturn void cannot_write(const Writer *writer, const char *path, const char *doing) {
    int why = errno;
    const char *advice = "";
    for (size_t i = 0; writer->renamed == 0 && i < writer->count; i++)
        unlinkat(writer->folder, writer->files[i].temporary, 0);
    if (why == ENOSPC) advice = "; free some disk space, or name another folder with --out";
    if (why == EFBIG) advice = "; raise the limit for the size of files (ulimit -f)";
    if (writer->renamed == 0)
        fail("%s: cannot be written (%s: %s); what was saved before is untouched%s", path, doing,
             strerror(why), advice);
    fail("%s: cannot be written for certain (%s: %s); %zu of %zu files are new%s", path, doing,
         strerror(why), writer->renamed, writer->count, advice);
}

/* Opens the folder that the first `length` characters of the name are. */
static int open_parent(Entry entry, int length) {
    char parent[PATH_MAX];
    errno = ENAMETOOLONG;
    if (snprintf(parent, sizeof parent, "%.*s.", length, entry.name) >= PATH_MAX) return -1;
    return openat(entry.folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Returns when what was written is on the disk. Some file systems have nothing to sync. */
static void sync_all(const Writer *writer, int descriptor, const char *path, const char *doing) {
    while (fsync(descriptor)) {
        if (errno == EINVAL || errno == ENOTSUP) return;
        if (errno != EINTR) cannot_write(writer, path, doing);
    }
}

/* Closes the latest file, which is then on the disk. */
static void end_file(const Writer *writer) {
    const char *path = writer->files[writer->count - 1].path;
    sync_all(writer, writer->descriptor, path, "fsync");
    if (close(writer->descriptor) && errno != EINTR) cannot_write(writer, path, "close");
}

/* What stands under the temporary name is removed, not opened: it may be a link, or a FIFO. The
   mode of another user's file is not taken over. */
void writer_begin(Writer *writer, Entry entry) {
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const char *slash = strrchr(entry.name, '/'), *name = slash ? slash + 1 : entry.name;
    struct WrittenFile *file = &writer->files[writer->count];
    struct stat about;
    if (writer->count > 0) end_file(writer);
    *file = (struct WrittenFile){.path = entry.path, .name = name};
    /* a name that is cut here is too long for the system */
    snprintf(file->temporary, sizeof file->temporary, "%s.partial", name);
    if (writer->count++ == 0) writer->folder = open_parent(entry, (int)(name - entry.name));
    if (writer->folder < 0) cannot_write(writer, file->path, "open its folder");
    bool there = fstatat(writer->folder, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
    bool keep = there && S_ISREG(about.st_mode) && about.st_uid == geteuid();
    mode_t mode = keep ? about.st_mode & 0777 : 0666;
    unlinkat(writer->folder, file->temporary, 0);
    errno = EISDIR;
    writer->descriptor = -1;
    if (!there || !S_ISDIR(about.st_mode))
        writer->descriptor = openat(writer->folder, file->temporary, flags, mode);
    if (writer->descriptor < 0) cannot_write(writer, file->path, "open");
    if (keep && fchmod(writer->descriptor, mode)) cannot_write(writer, file->path, "chmod");
}

void writer_add(Writer *writer, const void *bytes, size_t count) {
    const size_t most = (size_t)1 << 30;
    for (const char *at = bytes; count > 0;) {
        ssize_t written = write(writer->descriptor, at, smaller(count, most));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) cannot_write(writer, writer->files[writer->count - 1].path, "write");
        at += written;
        count -= (size_t)written;
    }
}

void writer_finish(Writer *writer) {
    if (writer->count == 0) return;
    end_file(writer);
    for (; writer->renamed < writer->count; writer->renamed++) {
        const struct WrittenFile *file = &writer->files[writer->renamed];
        if (renameat(writer->folder, file->temporary, writer->folder, file->name))
            cannot_write(writer, file->path, "rename");
    }
    /* the files have their new content once the folder says so */
    sync_all(writer, writer->folder, writer->files[0].path, "fsync of its folder");
    close(writer->folder);
    *writer = (Writer){0};
}

void file_write(Entry entry, const void *bytes, size_t count) {
    Writer writer = {0};
    writer_begin(&writer, entry);
    writer_add(&writer, bytes, count);
    writer_finish(&writer);
}

/* ---- a run's folder ---- */

/* Ends the program: the latest call for the folder, or a file in it, failed with errno. */
static _Noreturn void no_folder(const char *path, const char *file, const char *what) {
    fail("%s%s: cannot be %s: %s; name another folder with --out", path, file, what,
         strerror(errno));
}

/* Makes a folder and those above it. */
static void make_folder(const char *path) {
    char *part = allocate(strlen(path) + 1, 1, "a path");
    for (size_t i = 0; path[i]; i++) {
        part[i] = path[i];
        bool whole = path[i] != '/' && (path[i + 1] == '/' || !path[i + 1]);
        if (whole && mkdir(part, 0777) && errno != EEXIST) no_folder(part, "", "made");
    }
    free(part);
}

/* A lock of the system on the file .lock, which stays. */
static int lock_folder(int folder, const char *path) {
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int lock = openat(folder, ".lock", flags, 0666);
    struct stat about;
    if (lock < 0 || fstat(lock, &about)) no_folder(path, "/.lock", "written");
    errno = EINVAL;
    if (S_ISREG(about.st_mode) && flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) no_folder(path, "/.lock", "locked");
    fail("%s: another run is writing there; wait for it, or name another folder with --out", path);
}

Folder folder_open(const char *path) {
    static const char *const names[] = {"checkpoint.safetensors", "model.safetensors",
                                        "snapshots.safetensors", "loss.csv"};
    make_folder(path);
    Folder folder = {.path = path};
    folder.descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.descriptor < 0) no_folder(path, "", "opened");
    folder.lock = lock_folder(folder.descriptor, path);
    for (int i = 0; i < 2 * PARTIAL; i++) {
        Buffer own = {0};
        buffer_add(&own, "%s/%s%s", path, names[i % PARTIAL], i < PARTIAL ? "" : ".partial");
        folder.file[i] = (Entry){folder.descriptor, own.text + strlen(path) + 1, own.text};
    }
    return folder;
}

void folder_close(Folder *folder) {
    for (int i = 0; i < 2 * PARTIAL; i++) free((char *)folder->file[i].path);
    close(folder->lock);
    close(folder->descriptor);
}

void folder_complete(const Folder *folder, int file) {
    Entry from = folder->file[PARTIAL + file], to = folder->file[file];
    if (renameat(from.folder, from.name, to.folder, to.name)) no_folder(from.path, "", "renamed");
}

void folder_clean(const Folder *folder) {
    for (int i = PARTIAL; i < 2 * PARTIAL; i++)
        unlinkat(folder->descriptor, folder->file[i].name, 0);
}

/* Does this file stand in the folder? */
static bool is_there(const Folder *folder, int file, int flags, struct stat *about) {
    return fstatat(folder->descriptor, folder->file[file].name, about, flags) == 0;
}

bool folder_used(const Folder *folder) {
    struct stat about;
    for (int i = 0; i < PARTIAL; i++)
        if (is_there(folder, i, AT_SYMLINK_NOFOLLOW, &about)) return true;
    return false;
}

void folder_keep(const Folder *folder) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, here = folder->descriptor;
    if (mkdirat(here, "previous", 0777) && errno != EEXIST)
        no_folder(folder->path, "/previous", "made");
    int previous = openat(here, "previous", flags);
    if (previous < 0) no_folder(folder->path, "/previous", "opened");
    for (int i = 0; i < PARTIAL; i++) unlinkat(previous, folder->file[i].name, 0);
    for (int i = 0; i < PARTIAL; i++) {
        const char *name = folder->file[i].name;
        if (linkat(here, name, previous, name, 0) == 0 || errno == ENOENT) continue;
        if (renameat(here, name, previous, name)) /* there are no links everywhere */
            no_folder(folder->file[i].path, "", "kept in the folder previous");
    }
    close(previous);
}

void folder_protect(const Folder *folder, const char *path) {
    struct stat text, file;
    if (stat(path, &text)) return;
    for (int i = 0; i < PARTIAL; i++)
        if (is_there(folder, i, 0, &file) && file.st_dev == text.st_dev &&
            file.st_ino == text.st_ino)
            fail("%s: the run would write over this file; name another folder with --out", path);
}
