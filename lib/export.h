/* export.h: the embedding for other programs. */
#ifndef EXPORT_H
#define EXPORT_H

#include "checkpoint.h"

/* Writes a file whole or not at all, makes the folder when there is none, and prints the file's
   path and size. Fails with one line. */
void write_output(const char *folder, const char *name, const Buffer *content);

/* Writes the characters' rows and the most frequent others, `most` in all, into the folder:

     tsv  vectors.tsv and metadata.tsv, the pair that TensorBoard's Embedding Projector loads
     vec  embedding.vec, word2vec's text format: "rows dim", then a name and its numbers a line
     map  map.tsv: where the characters are on the plane of ./embed's map: x, y, kind 0..5, id, x
          and y for marks that do not cover each other, name

   Names are row_name's. A name with a quotation mark is quoted as CSV is, but not in vec, where a
   space is \x20. Fails with one line. */
void export_rows(const SavedModel *saved, const char *format, const char *folder, size_t most);

#endif
