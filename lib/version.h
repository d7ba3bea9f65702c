/* version.h: the number that --version prints and that every file we write carries. */
#ifndef VERSION_H
#define VERSION_H

#define VERSION "1.0"

#endif
