#ifndef REJOINDER_CZLIB_SHIM_H
#define REJOINDER_CZLIB_SHIM_H

#include <zlib.h>

#endif
