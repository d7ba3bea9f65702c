#define _GNU_SOURCE /* O_PATH */
#include "folder.h"

#include "fail.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PARTIAL ".partial"

Entry entry_of(const char *path) { return (Entry){AT_FDCWD, path, path}; }

static char *joined(const char *first, const char *second, const char *third) {
    Buffer text = {0};
    buffer_add(&text, "%s%s%s", first, second, third);
    return text.text;
}

/* ---- writing ----------------------------------------------------------------------------------- */

/* Closes all; returns how many files have taken their names. When none has, what is temporary is
   removed; else it stays, whole, for --resume to find. */
static size_t writer_end(Writer *writer) {
    size_t renamed = 0;
    for (size_t i = 0; i < writer->count; i++) renamed += !writer->files[i].temporary[0];
    for (size_t i = 0; i < writer->count; i++) {
        struct WrittenFile *file = &writer->files[i];
        bool useless = renamed == 0 && file->temporary[0];
        if (useless && file->folder >= 0) unlinkat(file->folder, file->temporary, 0);
        if (file->descriptor >= 0) close(file->descriptor);
        if (file->folder >= 0) close(file->folder);
    }
    return renamed;
}

/* Ends the program: the latest call, for this file, failed with errno. */
static _Noreturn void cannot_write(Writer *writer, const struct WrittenFile *file,
                                   const char *doing) {
    int why = errno;
    const char *path = file->entry.path, *advice = "";
    size_t count = writer->count, renamed = writer_end(writer);
    if (why == ENOSPC) advice = "; free some disk space, or name another folder with --out";
    if (why == EFBIG) advice = "; raise the limit for the size of files (ulimit -f)";
    if (renamed == 0)
        fail("%s: cannot be written (%s: %s); what was saved before is untouched%s", path, doing,
             strerror(why), advice);
    fail("%s: cannot be written for certain (%s: %s); %zu of %zu files are new%s", path, doing,
         strerror(why), renamed, count, advice);
}

/* Opens the folder in which an entry's name stands. A folder that may be written but not read can be
   opened, too, where the system can do that. */
static int open_parent(Entry entry) {
    const char *slash = strrchr(entry.name, '/');
    char parent[PATH_MAX] = ".";
    size_t length = slash ? (size_t)(slash - entry.name) + 1 : 0;
    if (length >= sizeof parent) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (length) memcpy(parent, entry.name, length);
    int folder = openat(entry.folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#ifdef O_PATH
    if (folder < 0 && errno == EACCES)
        folder = openat(entry.folder, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
#endif
    return folder;
}

/* What stands under the temporary name is removed, not opened: it may be a link, or a FIFO. The mode
   of another user's file is not taken over. */
void writer_begin(Writer *writer, Entry entry) {
    struct WrittenFile *file = &writer->files[writer->count++];
    const char *slash = strrchr(entry.name, '/');
    *file = (struct WrittenFile){.entry = entry, .name = entry.name, .descriptor = -1};
    if (slash) file->name = slash + 1;
    size_t room = sizeof file->temporary;
    bool fits = (size_t)snprintf(file->temporary, room, "%s" PARTIAL, file->name) < room;
    file->folder = open_parent(entry);
    if (!fits) errno = ENAMETOOLONG;
    if (!fits) cannot_write(writer, file, "name");
    if (file->folder < 0) cannot_write(writer, file, "open its folder");
    struct stat about;
    bool there = fstatat(file->folder, file->name, &about, AT_SYMLINK_NOFOLLOW) == 0;
    bool keep = there && S_ISREG(about.st_mode) && about.st_uid == geteuid();
    mode_t mode = keep ? about.st_mode & 0777 : 0666;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    if (there && S_ISDIR(about.st_mode)) errno = EISDIR;
    if (there && S_ISDIR(about.st_mode)) cannot_write(writer, file, "open");
    unlinkat(file->folder, file->temporary, 0);
    file->descriptor = openat(file->folder, file->temporary, flags, mode);
    if (file->descriptor < 0) cannot_write(writer, file, "open");
    if (keep && fchmod(file->descriptor, mode)) cannot_write(writer, file, "chmod");
}

void writer_add(Writer *writer, const void *bytes, size_t count) {
    const size_t most = (size_t)1 << 30;
    struct WrittenFile *file = &writer->files[writer->count - 1];
    for (const char *at = bytes; count > 0;) {
        ssize_t written = write(file->descriptor, at, count < most ? count : most);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) cannot_write(writer, file, "write");
        at += written;
        count -= (size_t)written;
    }
}

/* False with errno. Some file systems have nothing to sync, nor has a folder that is only a path. */
static bool synced(int descriptor) {
    while (fsync(descriptor)) {
        if (errno == EINVAL || errno == ENOTSUP || errno == EBADF) return true;
        if (errno != EINTR) return false;
    }
    return true;
}

void writer_finish(Writer *writer) {
    for (size_t i = 0; i < writer->count; i++) {
        struct WrittenFile *file = &writer->files[i];
        if (!synced(file->descriptor)) cannot_write(writer, file, "fsync");
        int closed = close(file->descriptor);
        file->descriptor = -1;
        if (closed && errno != EINTR) cannot_write(writer, file, "close");
    }
    for (size_t i = 0; i < writer->count; i++) {
        struct WrittenFile *file = &writer->files[i];
        if (renameat(file->folder, file->temporary, file->folder, file->name))
            cannot_write(writer, file, "rename");
        file->temporary[0] = '\0';
    }
    /* the files have their new content once the folder says so */
    if (writer->count && !synced(writer->files[0].folder))
        cannot_write(writer, &writer->files[0], "fsync of its folder");
    writer_end(writer);
    *writer = (Writer){0};
}

void file_write(Entry entry, const void *bytes, size_t count) {
    Writer writer = {0};
    writer_begin(&writer, entry);
    writer_add(&writer, bytes, count);
    writer_finish(&writer);
}

/* ---- a run's folder ---------------------------------------------------------------------------- */

/* Makes one folder, if it is not there. */
static void make_one(const char *path) {
    if (mkdir(path, 0777) && errno != EEXIST)
        fail("%s: this folder cannot be made: %s; name another one with --out", path,
             strerror(errno));
}

/* Makes a folder and those above it. */
static void make_folder(const char *path) {
    char *part = joined(path, "", "");
    for (char *slash = part; *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        make_one(part);
        *slash = '/';
    }
    make_one(part);
    free(part);
}

/* A lock of the system on the file .lock, which stays. */
static int lock_folder(int folder, const char *path) {
    int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int lock = openat(folder, ".lock", flags, 0666);
    struct stat about;
    if (lock < 0)
        fail("%s: cannot be written (.lock: %s); name another folder with --out", path,
             strerror(errno));
    if (fstat(lock, &about) || !S_ISREG(about.st_mode))
        fail("%s/.lock: is no regular file; remove it, or name another folder with --out", path);
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno == EWOULDBLOCK)
        fail("%s: another run is writing there; wait for it, or name another folder with --out",
             path);
    fail("%s: cannot be locked: %s; name another folder with --out", path, strerror(errno));
}

Folder folder_open(const char *path) {
    static const char *const names[] = {"model.safetensors", "checkpoint.safetensors",
                                        "snapshots.safetensors", "loss.csv"};
    make_folder(path);
    Folder folder = {.path = path};
    folder.descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder.descriptor < 0 && errno == ENOTDIR)
        fail("%s: is no folder; name another one with --out", path);
    if (folder.descriptor < 0)
        fail("%s: cannot be opened: %s; name another folder with --out", path, strerror(errno));
    folder.lock = lock_folder(folder.descriptor, path);
    for (int i = 0; i < RUN_FILES; i++) {
        const char *own = joined(path, "/", names[i]), *partial = joined(own, PARTIAL, "");
        size_t start = strlen(path) + 1;
        folder.file[i] = (Entry){folder.descriptor, own + start, own};
        folder.partial[i] = (Entry){folder.descriptor, partial + start, partial};
    }
    return folder;
}

void folder_close(Folder *folder) {
    for (int i = 0; i < RUN_FILES; i++) {
        free((char *)folder->file[i].path);
        free((char *)folder->partial[i].path);
    }
    close(folder->lock);
    close(folder->descriptor);
}

void folder_complete(const Folder *folder, int file) {
    Entry from = folder->partial[file], to = folder->file[file];
    if (renameat(folder->descriptor, from.name, folder->descriptor, to.name))
        fail("%s: cannot be renamed to %s: %s", from.path, to.path, strerror(errno));
}

void folder_clean(const Folder *folder) {
    for (int i = 0; i < RUN_FILES; i++) unlinkat(folder->descriptor, folder->partial[i].name, 0);
}

bool folder_used(const Folder *folder) {
    struct stat about;
    for (int i = 0; i < RUN_FILES; i++)
        if (!fstatat(folder->descriptor, folder->file[i].name, &about, AT_SYMLINK_NOFOLLOW))
            return true;
    return false;
}

void folder_keep(const Folder *folder) {
    const char *name = "previous";
    if (mkdirat(folder->descriptor, name, 0777) && errno != EEXIST)
        fail("%s/%s: cannot be made: %s; name another folder with --out", folder->path, name,
             strerror(errno));
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int previous = openat(folder->descriptor, name, flags);
    if (previous < 0)
        fail("%s/%s: is no folder, but the run that was here would be kept there; remove it",
             folder->path, name);
    for (int i = 0; i < RUN_FILES; i++) unlinkat(previous, folder->file[i].name, 0);
    for (int i = 0; i < RUN_FILES; i++) {
        const char *file = folder->file[i].name;
        if (linkat(folder->descriptor, file, previous, file, 0) == 0 || errno == ENOENT) continue;
        if (renameat(folder->descriptor, file, previous, file)) /* there are no links everywhere */
            fail("%s: cannot be kept in %s: %s", folder->file[i].path, name, strerror(errno));
    }
    close(previous);
}

void folder_protect(const Folder *folder, const char *path) {
    struct stat text, file;
    if (stat(path, &text)) return;
    for (int i = 0; i < RUN_FILES; i++) {
        if (fstatat(folder->descriptor, folder->file[i].name, &file, 0)) continue;
        if (file.st_dev == text.st_dev && file.st_ino == text.st_ino)
            fail("%s: the run would write over this file; name another folder with --out", path);
    }
}
