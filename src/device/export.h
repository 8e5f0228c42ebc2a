/* SPDX-License-Identifier: MIT */
/* An image that is not raw, seen as one that is. Private to device/. */
#ifndef DEVICE_EXPORT_H
#define DEVICE_EXPORT_H

#include "device/device.h"

struct export;

/*
 * What the image holds is at export_path from here on, as a file that is as long as the disk. The
 * format is one that image_format_known knows; writable: what is written there goes to the image.
 */
int export_start(const char *image, const struct image_source *source, bool writable,
                 struct export **ret, struct err *e) MUST_CHECK;
const char *export_path(const struct export *export);
/* A descriptor of the image itself, for its lock and for who else has it. */
int export_image(const struct export *export);
/* Everything is in the image when this returns. */
void export_stop(struct export **export);

#define auto_export auto_with(export_stop)

#endif
