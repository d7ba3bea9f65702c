/* folder.h: files of an opened folder, read by mapping them, and written whole or not at all; and a
   run's folder, into which one run at a time writes. Nothing here follows a link to write. */
#ifndef FOLDER_H
#define FOLDER_H

#include "memory.h"

#include <stdbool.h>
#include <stddef.h>

/* A file, by its name in an opened folder. */
typedef struct {
    int folder; /* AT_FDCWD: the name is a path */
    const char *name;
    const char *path; /* the name in messages */
} Entry;

/* The file of a path, which must outlive the entry. */
Entry entry_of(const char *path);

/* Maps a regular file: writing there changes memory only; munmap frees it. Returns NULL, or why it
   cannot be read; then errno is 0 unless the system refused it. When another program cuts the file
   short meanwhile, this program ends with one line. */
const char *file_map(Entry entry, void **bytes, size_t *size);

/* The same for a file that is added to a text. */
const char *file_read(Entry entry, Buffer *text);

/* Up to four files of one folder that are written together: all are complete and on the disk before
   the first takes its name. Starts as {0}. */
typedef struct {
    int folder, descriptor; /* opened; the descriptor is that of the latest file */
    size_t count, renamed;
    struct WrittenFile {
        const char *path, *name; /* in messages; in its folder */
        char temporary[264];     /* NAME.partial */
    } files[4];
} Writer;

/* Begins the next file, with the mode of the one that is there; adds bytes to it; gives all files
   their names, in the order in which they were begun. Each fails with one line, and then all files
   are as they were. None takes memory: a caller that takes it before can fail without leaving a
   temporary file. */
void writer_begin(Writer *writer, Entry entry);
void writer_add(Writer *writer, const void *bytes, size_t count);
void writer_finish(Writer *writer);

/* Writes a file of these bytes. */
void file_write(Entry entry, const void *bytes, size_t count);

/* A run's folder and its files, in the order in which they take their names; file[PARTIAL + MODEL]
   is the model under its temporary name. */
enum { CHECKPOINT, MODEL, SNAPSHOTS, LOG, PARTIAL };
typedef struct {
    const char *path;
    int descriptor, lock;
    Entry file[2 * PARTIAL];
} Folder;

/* Makes the folder, and those above it, and locks it: the lock ends with the process, however that
   ends. Fails with one line when it cannot be made, or another run writes there. The path must
   outlive the folder. */
Folder folder_open(const char *path);
void folder_close(Folder *folder);

/* Gives the file that has its temporary name its own. */
void folder_complete(const Folder *folder, int file);

/* Removes what a run that was killed has left under temporary names. */
void folder_clean(const Folder *folder);

/* Has the folder a file of a run? */
bool folder_used(const Folder *folder);

/* Gives the run's files a second name in the folder `previous` in this one, so that they stay when
   they are written over here; what was kept there before goes. Fails with one line. */
void folder_keep(const Folder *folder);

/* Fails with one line when this path names one of the files that the run will overwrite. */
void folder_protect(const Folder *folder, const char *path);

#endif
