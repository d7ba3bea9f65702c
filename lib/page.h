/* page.h: report.html, one page that shows a run. */
#ifndef PAGE_H
#define PAGE_H

#include "checkpoint.h"

/* Writes folder/report.html from a model and, where they stand beside it, loss.csv and snapshots.safetensors; says where. Fails
   with one line. */
void page_write(const SavedModel *saved, const char *model_path, const char *folder);

#endif
