/* shim.h: what shim.c and faults.c share. */
#ifndef SHIM_H
#define SHIM_H

#include <stdatomic.h>
#include <stdbool.h>

enum {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FSYNC,
    FAULT_RENAME,
    FAULT_CLOSE,
    FAULT_MMAP,
    FAULT_MEMORY,
    FAULT_THREAD,
    FAULT_FOPEN,
    FAULT_FSTAT,
    FAULT_FLOCK,
    FAULT_MKDIR,
    FAULT_FGETS,
    FAULT_CHMOD,
    FAULT_CALLS
};

enum { FAULT_DIED = 86 }; /* the status of a program that the shim ended */

/* A page that the shim and the program that tests share. */
typedef struct {
    int hit;                        /* the chosen call came and was met */
    atomic_uint calls[FAULT_CALLS]; /* how many of each there were */
    atomic_uint file_calls;         /* how many of open, write, fsync, rename, close */
    char order[3000];               /* the first of these: o, w, f, r, c */
} FaultPage;

#endif
