/* SPDX-License-Identifier: MIT */
/* The files that make up an image, opened. Private to device/. */
#ifndef DEVICE_IMAGE_H
#define DEVICE_IMAGE_H

#include "device/device.h"

enum { LAYERS_MAX = 8 };

struct layers {
    /* The image, what it stands on, what that stands on, … */
    struct layer {
        int fd;
        const char *driver; /* qemu's word: "qcow2", "raw" */
    } items[LAYERS_MAX];
    size_t count;
};

/*
 * Opens the image, and what the operator says it stands on: those read-only, and locked against
 * those who would change them. Whatever names another file that the operator has not named is
 * refused, and no name that stands in an image is ever opened.
 */
int layers_open(const char *image, const struct image_source *source, bool writable,
                struct layers *ret, struct err *e) MUST_CHECK;
void layers_close(struct layers *layers);

#define auto_layers auto_with(layers_close)

#endif
