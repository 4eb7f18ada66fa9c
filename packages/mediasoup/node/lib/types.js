/** `mediasoup/types`: nothing but types. Deep paths of old versions lead here, since it is types they are imported for. */
'use strict';

module.exports = {};
