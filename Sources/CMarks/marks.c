// All of it is in the header: this file is what makes it a target.
#include "marks.h"
