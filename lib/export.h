/* export.h: the embedding for other programs. */
#ifndef EXPORT_H
#define EXPORT_H

#include "checkpoint.h"

/* Writes the characters' rows and the most frequent others, `most` in all, into the folder and says where:

     tsv  vectors.tsv and metadata.tsv, the pair that TensorBoard's Embedding Projector loads
     vec  embedding.vec, word2vec's text format: "rows dim", then a name and its numbers a line
     npy  embedding.npy for numpy, and embedding_rows.tsv, which names its rows
     csv  embedding.csv for spreadsheets: name, kind, count, numbers
     map  map.tsv: where the characters that were seen are on the plane of ./embed's map: x, y, kind 0..5, id, x and y for
          marks that do not cover each other, name

   Names are row_name's; where a name must hold no white space (vec) a space in it is \x20. Fails with one line. */
void export_rows(const SavedModel *saved, const char *format, const char *folder, size_t most);

#endif
